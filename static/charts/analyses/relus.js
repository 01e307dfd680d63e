/**
 * Charts of ReLUs that are off, in the order of the forward pass: the share of channels that are almost always 0, and
 * how often channels are 0.
 */

import { percent, whole } from "../../base/format.js";
import { faint, heatScale, policyColor } from "../colors.js";
import { countColumn, shareColumn, wordsColumn } from "../columns.js";
import { Chart, layout } from "../plot.js";

const PLACES = [
  { name: "within a block", after: false },
  { name: "after the addition", after: true },
];

/** The axis of the ReLUs. */
const inOrder = ({ length }) => ({
  name: "ReLU, from input to output",
  range: [0.4, length + 0.6],
  autorange: false,
  tickformat: "d",
  showgrid: false,
});

/** `findings`: of a run; `policy`: sets the colour of the bars. */
export function relus(element, findings, policy) {
  const chart = new Chart(element, words(findings), () => figure(findings.relus, policy), {
    table: () => ({
      columns: [...RELU, shareColumn("Off for more than 99%", "mostly_off"), shareColumn("Always off", "always_off")],
      rows: findings.relus.map((row) => [...reluCells(row), row.mostly_off, row.always_off]),
    }),
  });
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
        "%{customdata[0]}, %{customdata[1]} channels<br>%{y:.1f}% off for more than 99%" +
        "<br>%{customdata[2]:.1f}% always off<extra></extra>",
    };
  }).filter(({ x }) => x.length);
  return {
    data: traces,
    layout: layout({
      showlegend: traces.length > 1,
      margin: { l: 8, r: 12, t: 28, b: 8 },
      x: inOrder(rows),
      y: { ticksuffix: "%", rangemode: "tozero" },
      barmode: "overlay",
    }),
  };
}

const BINS = 20;
const PLACE_WORDS = ["stem", "within a block", "after the addition"];

/** The columns that name a ReLU, and their cells. */
const RELU = [wordsColumn("ReLU"), wordsColumn("Where", "place"), countColumn("Channels", "channels")];
const reluCells = (row) => [row.name, PLACE_WORDS[placeOf(row)], row.channels];

const rangeOf = (bin) => `${(bin * 100) / BINS} to ${((bin + 1) * 100) / BINS}%`;

/** The number of channels by how often they are 0. */
function binsOf({ zero_shares }) {
  const bins = Array(BINS).fill(0);
  for (const share of zero_shares) bins[Math.min(BINS - 1, Math.floor(share * BINS))] += 1;
  return bins;
}

/** The position of a ReLU: 0 in the stem, 1 within a block, 2 after the addition. */
const placeOf = ({ position, after_addition }) => (position === 0 ? 0 : after_addition ? 2 : 1);

/** `found`: findings with `zero_shares`. */
export function zeros(element, { relus: rows }) {
  const chart = new Chart(element, zeroWords(rows), () => zeroFigure(rows), {
    table: () => ({
      columns: [...RELU, ...Array.from({ length: BINS }, (_, bin) => countColumn(rangeOf(bin), `zero ${rangeOf(bin)}`))],
      rows: rows.map((row) => [...reluCells(row), ...binsOf(row)]),
      note: "The number of channels of each ReLU, by how often they are zero.",
    }),
  });
  chart.refresh();
  return chart;
}

function zeroFigure(rows) {
  const counts = rows.map(binsOf);
  const bins = Array.from({ length: BINS }, (_, bin) => bin);
  return {
    data: [
      {
        type: "heatmap",
        x: rows.map((_, index) => index + 1),
        y: bins.map((bin) => ((bin + 0.5) * 100) / BINS),
        z: bins.map((bin) => counts.map((row) => (row[bin] ? Math.log10(row[bin]) : null))),
        customdata: bins.map((bin) =>
          counts.map((row, index) => [rows[index].name, row[bin], rangeOf(bin), PLACE_WORDS[placeOf(rows[index])]]),
        ),
        hovertemplate:
          "%{customdata[0]}, %{customdata[3]}<br>%{customdata[1]} channels are 0 for %{customdata[2]}<extra></extra>",
        hoverongaps: false,
        xgap: rows.length > 100 ? 0 : 1,
        ygap: 1,
        ...heatScale(Math.max(...rows.map(({ channels }) => channels)), "channels"),
      },
    ],
    layout: layout({
      margin: { l: 8, r: 6, t: 10, b: 8 },
      x: inOrder(rows),
      y: { name: "zero for", ticksuffix: "%", range: [0, 100], autorange: false, showgrid: false },
    }),
  };
}

function zeroWords(rows) {
  const told = PLACE_WORDS.map((place, number) => {
    const shares = rows.filter((row) => placeOf(row) === number).flatMap(({ zero_shares }) => zero_shares);
    if (!shares.length) return null;
    shares.sort((a, b) => a - b);
    return `${place}, half of ${whole(shares.length)} channels are zero for more than ${percent(shares[shares.length >> 1])}`;
  });
  return `How often each ReLU channel is zero: ${told.filter(Boolean).join("; ")}.`;
}

function words({ relus: rows, relu_mostly_off, relu_always_off }) {
  const most = rows.reduce((a, b) => (b.mostly_off > a.mostly_off ? b : a));
  return (
    `Dead ReLU channels: ${percent(relu_mostly_off)} of all channels are zero for more than 99% of the test ` +
    `images' pixels, ${percent(relu_always_off)} always; most in ${most.name}, ${percent(most.mostly_off)}.`
  );
}
