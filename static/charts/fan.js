/**
 * The quantiles of γ or β over the epochs as a fan: the middle half, 90% and 98% of the features, and the median.
 *
 * The server sends the quantiles of one layer; those of all layers together are computed from the histogram, to within
 * half a bin.
 */

import { LETTERS, options } from "../server/catalog.js";
import { decimal, epochOf } from "../base/format.js";
import { token } from "../base/theme.js";
import { faint, policyColor } from "./colors.js";
import { epochColumn, shareColumn, stepColumn } from "./columns.js";
import { disabledShare } from "./disabled.js";
import { EDGES, WIDTH } from "./histogram.js";
import { marker, momentAt } from "./moment.js";
import { Chart, overEpochs } from "./plot.js";

export const LEVELS = options.quantiles;
/** The pairs of LEVELS that bound the bands, the widest band first. */
const BANDS = [
  [0, 6, "98% of the features", 0.16],
  [1, 5, "90%", 0.22],
  [2, 4, "50%", 0.36],
];

export function fan(element, data, view) {
  const chart = new Chart(element, "Quantiles of γ over the epochs", () => figure(data, view), {
    click: momentAt(data, view),
    axis: "epoch",
    table: () => table(data, view),
  });
  const refresh = () => {
    chart.refresh();
    chart.describe(words(data, view));
  };
  data.addEventListener("change", refresh);
  view.addEventListener("change", refresh);
  refresh();
  return chart;
}

/** A column for each of LEVELS. */
export const levelColumns = LEVELS.map((level) => ({
  title: level === 0.5 ? "median" : `${Math.round(level * 100)}%`,
  name: `quantile ${level}`,
  text: (value) => decimal(value, 3),
}));

function table({ snapshots, layers }, view) {
  return {
    columns: [stepColumn, epochColumn, shareColumn("Disabled, total", "disabled"), ...levelColumns],
    rows: snapshots.map((snapshot) => [
      snapshot.step,
      snapshot.epoch,
      layers ? disabledShare(snapshot, layers) : null,
      ...quantilesOf(snapshot, view.of),
    ]),
    newest: true,
    note: view.layer === null ? "Estimated from the histogram of all layers; accurate to half a bin." : null,
  };
}

/** The values at LEVELS of a snapshot's `of`. */
const quantilesOf = (snapshot, of) => snapshot[`${of}_quantiles`] ?? fromCounts(snapshot[of]);

/** Quantiles from a histogram, as if the features were spread evenly within each bin. */
export function fromCounts(counts) {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let [bin, below] = [0, 0];
  return LEVELS.map((level) => {
    const wanted = level * total;
    while (bin < counts.length - 1 && below + counts[bin] < wanted) below += counts[bin++];
    if (bin === 0) return EDGES[0];
    if (bin === counts.length - 1) return EDGES.at(-1);
    return EDGES[bin - 1] + (counts[bin] ? (wanted - below) / counts[bin] : 0) * WIDTH;
  });
}

function figure(data, view) {
  const { snapshots, run } = data;
  if (!snapshots.length) return null;
  const color = policyColor(run.spec.policy);
  const x = snapshots.map(({ epoch }) => epoch);
  const rows = snapshots.map((snapshot) => quantilesOf(snapshot, view.of));
  const at = (level) => rows.map((row) => row[level]);
  const edge = { x, mode: "lines", line: { color, width: 0 }, hoverinfo: "skip" };
  const bands = BANDS.flatMap(([low, high, name, alpha]) => [
    { ...edge, y: at(low), showlegend: false },
    { ...edge, y: at(high), name, fill: "tonexty", fillcolor: faint(color, alpha) },
  ]);
  const letter = LETTERS[view.of];
  const median = {
    x,
    y: at(3),
    customdata: rows,
    name: "median",
    mode: "lines",
    line: { color, width: 2.4 },
    hovertemplate:
      `median ${letter} = %{y:.3f}<br>half in %{customdata[2]:.3f} to %{customdata[4]:.3f}` +
      "<br>98% in %{customdata[0]:.3f} to %{customdata[6]:.3f}<extra></extra>",
  };
  return {
    data: [...bands, median],
    layout: overEpochs(run, {
      uirevision: view.scene,
      showlegend: true,
      margin: { l: 8, r: 12, t: 28, b: 8 },
      y: { name: letter, zeroline: true, zerolinecolor: token("line-strong") },
      shapes: marker(data, view),
    }),
  };
}

function words({ snapshots }, view) {
  const [first, last, letter] = [snapshots[0], snapshots.at(-1), LETTERS[view.of]];
  if (!first) return `Quantiles of ${letter} over the epochs, no data yet.`;
  const half = (snapshot) => {
    const row = quantilesOf(snapshot, view.of);
    return `median ${row[3].toFixed(2)}, half of them between ${row[2].toFixed(2)} and ${row[4].toFixed(2)}`;
  };
  return `Quantiles of ${letter} over the epochs: at the start ${half(first)}; at epoch ${epochOf(last.epoch)} ${half(last)}.`;
}
