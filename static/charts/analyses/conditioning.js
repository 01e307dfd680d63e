/**
 * How unevenly the logits answer to the γ of each norm layer: the condition number of its Jacobian, before the first step
 * and after the last.
 */

import { percent } from "../../base/format.js";
import { faint, policyColor } from "../colors.js";
import { countColumn, valueColumn, wordsColumn } from "../columns.js";
import { Chart, layout } from "../plot.js";

const WHEN = [
  { key: "start", name: "before the first step", symbol: "circle-open" },
  { key: "end", name: "after the last step", symbol: "circle" },
];

const short = (value) => (value === null ? "unknown" : String(Number(value.toPrecision(3))));

/** `jacobian`: of a run's findings; `policy`: sets the colour of the marks. */
export function conditioning(element, jacobian, policy) {
  const chart = new Chart(element, words(jacobian), () => figure(jacobian.layers, policy), { table: () => table(jacobian) });
  chart.refresh();
  return chart;
}

function figure(layers, policy) {
  const color = policyColor(policy);
  const traces = WHEN.map(({ key, name, symbol }) => {
    const known = layers.map((layer, index) => ({ ...layer, x: index + 1, found: layer[key] })).filter(({ found }) => found?.number);
    return {
      name,
      x: known.map(({ x }) => x),
      y: known.map(({ found }) => found.number),
      mode: layers.length > 60 ? "lines" : "lines+markers",
      line: { color: key === "start" ? faint(color, 0.6) : color, width: key === "start" ? 1.4 : 2.2, dash: key === "start" ? "dot" : "solid" },
      marker: { color, symbol, size: 7 },
      customdata: known.map((layer) => [layer.name, layer.channels, layer.found.rank]),
      hovertemplate: `%{customdata[0]}, %{customdata[1]} channels<br>condition number %{y:.3g} ${name}<br>%{customdata[2]} directions change a logit<extra></extra>`,
    };
  }).filter(({ x }) => x.length);
  return {
    data: traces,
    layout: layout({
      showlegend: true,
      margin: { l: 8, r: 12, t: 28, b: 8 },
      x: { name: "norm layer, from input to output", range: [0.4, layers.length + 0.6], autorange: false, tickformat: "d", showgrid: false },
      y: { type: "log", dtick: 1, name: "condition number" },
    }),
  };
}

const table = ({ layers, images, classes }) => ({
  columns: [
    wordsColumn("Layer"),
    countColumn("Channels", "channels"),
    ...WHEN.flatMap(({ key, name }) => [
      valueColumn(`Condition number ${name}`, `${key}_number`),
      countColumn(`Directions that change a logit ${name}`, `${key}_rank`),
    ]),
  ],
  rows: layers.map((layer) => [layer.name, layer.channels, ...WHEN.flatMap(({ key }) => [layer[key]?.number, layer[key]?.rank])]),
  note: `Measured on the logits of ${classes} classes for ${images} test images.`,
});

/** The chart in a sentence. */
function words({ start, end }) {
  const one = (when, { median, idle }) =>
    `${when} half of the layers have more than ${short(median)}, and ${percent(idle)} of the directions of γ change no logit`;
  return `Condition number of γ: ${[start && one("before the first step", start), one("after the last step", end)].filter(Boolean).join("; ")}.`;
}
