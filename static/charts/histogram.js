/**
 * γ now: how many features have which value, with the initial distribution as an outline. Shares, not counts, so
 * that layers of different width compare.
 */

import { options } from "../catalog.js";
import { token } from "../theme.js";
import { policyColor } from "./colors.js";
import { Chart, layout } from "./plot.js";

const EDGES = options.edges;
const WIDTH = EDGES[1] - EDGES[0];

/** The middle of each of a histogram's entries: below the first edge, the bins, above the last edge. */
export const CENTRES = [
  EDGES[0] - WIDTH / 2,
  ...EDGES.slice(0, -1).map((edge) => edge + WIDTH / 2),
  EDGES.at(-1) + WIDTH / 2,
];

export function histogram(element, data) {
  const chart = new Chart(element, "Histogram of γ", () => figure(data));
  data.addEventListener("change", () => {
    chart.refresh();
    chart.describe(words(data));
  });
  return chart;
}

function figure(data) {
  const [first, last] = [data.snapshots[0], data.snapshots.at(-1)];
  if (!first) return null;
  const used = span(data.snapshots);
  const x = CENTRES.slice(...used);
  const hover = CENTRES.map((centre, k) =>
    k === 0
      ? `below ${EDGES[0].toFixed(2)}`
      : k === CENTRES.length - 1
        ? `above ${EDGES.at(-1).toFixed(2)}`
        : `γ ≈ ${centre.toFixed(2)}`,
  );
  const bars = {
    type: "bar",
    x,
    y: shares(last.gamma).slice(...used),
    width: WIDTH * 0.86,
    marker: { color: policyColor(data.run.spec.policy) },
    name: `epoch ${last.epoch.toFixed(1)}`,
    customdata: hover.slice(...used),
    hovertemplate: "%{customdata}: %{y:.1f} %<extra></extra>",
  };
  const outline = {
    x,
    y: shares(first.gamma).slice(...used),
    mode: "lines",
    line: { shape: "hvh", color: token("line-strong"), width: 1.4 },
    name: "at the start",
    hoverinfo: "skip",
  };
  return {
    data: [bars, outline],
    layout: layout({
      showlegend: true,
      margin: { l: 8, r: 12, t: 28, b: 8 },
      x: { name: "γ" },
      y: { ticksuffix: " %", rangemode: "tozero" },
      bargap: 0,
    }),
  };
}

function shares(counts) {
  const total = counts.reduce((sum, count) => sum + count, 0) || 1;
  return counts.map((count) => (count / total) * 100);
}

/**
 * The entries that any snapshot uses, as [from, to) for slice(): never less than about -0.5 to 1.25, so that the axis
 * rarely moves. Plotly ranges over what it gets; a range that we set would undo the reader's zoom when it changes.
 */
export function span(snapshots) {
  let [low, high] = [CENTRES.findIndex((c) => c > -0.5), CENTRES.findIndex((c) => c > 1.25)];
  for (const { gamma } of snapshots) {
    low = Math.min(
      low,
      gamma.findIndex((count) => count > 0),
    );
    high = Math.max(
      high,
      gamma.findLastIndex((count) => count > 0),
    );
  }
  return [Math.max(0, low), high + 1];
}

function words({ snapshots, layers }) {
  const last = snapshots.at(-1);
  if (!last || !layers) return "Histogram of γ, no data yet.";
  const total = last.gamma.reduce((sum, count) => sum + count, 0);
  const zero = last.gamma[(last.gamma.length - 1) / 2];
  return `Histogram of γ of ${total} features at epoch ${last.epoch.toFixed(1)}: ${Math.round((zero / total) * 100)} percent lie in the bin around zero.`;
}
