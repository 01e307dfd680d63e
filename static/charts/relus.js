/**
 * ReLUs that are off: for each, in the order of the forward pass, the share of its channels that are 0 almost always.
 */

import { percent } from "../format.js";
import { faint, policyColor } from "./colors.js";
import { Chart, layout } from "./plot.js";

const PLACES = [
  { name: "within a block", after: false },
  { name: "after the addition", after: true },
];

/** `findings`: of a run; `policy`: whose colour the bars have. */
export function relus(element, findings, policy) {
  const chart = new Chart(element, words(findings), () => figure(findings.relus, policy));
  chart.refresh();
  return chart;
}

function figure(rows, policy) {
  const color = policyColor(policy);
  const numbered = rows.map((row, index) => ({ ...row, x: index + 1 }));
  const traces = PLACES.map(({ name, after }) => {
    const here = numbered.filter((row) => row.after_addition === after);
    return {
      type: "bar",
      name,
      x: here.map(({ x }) => x),
      y: here.map(({ mostly_off }) => mostly_off * 100),
      width: rows.length > 100 ? 1 : 0.8,
      marker: { color: after ? faint(color, 0.45) : color },
      customdata: here.map(({ name, channels, always_off }) => [name, channels, always_off * 100]),
      hovertemplate:
        "%{customdata[0]}, %{customdata[1]} channels<br>%{y:.1f} % off for more than 99 %" +
        "<br>%{customdata[2]:.1f} % always off<extra></extra>",
    };
  }).filter(({ x }) => x.length);
  return {
    data: traces,
    layout: layout({
      showlegend: traces.length > 1,
      margin: { l: 8, r: 12, t: 28, b: 8 },
      x: {
        name: "ReLU, from input to output",
        range: [0.4, rows.length + 0.6],
        autorange: false,
        tickformat: "d",
        showgrid: false,
      },
      y: { ticksuffix: " %", rangemode: "tozero" },
      barmode: "overlay",
    }),
  };
}

function words({ relus: rows, relu_mostly_off, relu_always_off }) {
  const most = rows.reduce((a, b) => (b.mostly_off > a.mostly_off ? b : a));
  return (
    `ReLUs that are off: ${percent(relu_mostly_off)} of all channels are 0 for more than 99 percent of the test ` +
    `images' pixels, ${percent(relu_always_off)} always; most in ${most.name}, ${percent(most.mostly_off)}.`
  );
}
