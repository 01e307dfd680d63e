/**
 * γ over time: one column a snapshot, one row a bin, colour by the logarithm of the number of features in it.
 */

import { heatScale } from "./colors.js";
import { CENTRES, span } from "./histogram.js";
import { Chart, layout } from "./plot.js";

export function heatmap(element, data) {
  const chart = new Chart(element, "Distribution of γ over the epochs", () => figure(data));
  data.addEventListener("change", () => chart.refresh());
  return chart;
}

function figure({ snapshots, run }) {
  if (!snapshots.length) return null;
  const used = span(snapshots);
  const bins = CENTRES.map((_, bin) => bin).slice(...used);
  const total = snapshots[0].gamma.reduce((sum, count) => sum + count, 0);
  return {
    data: [
      {
        type: "heatmap",
        x: snapshots.map(({ epoch }) => epoch),
        y: CENTRES.slice(...used),
        // An empty bin is a hole, through which the page shows.
        z: bins.map((bin) => snapshots.map(({ gamma }) => (gamma[bin] ? Math.log10(gamma[bin]) : null))),
        customdata: bins.map((bin) => snapshots.map(({ gamma }) => gamma[bin])),
        hovertemplate: "epoch %{x:.2f}<br>γ ≈ %{y:.2f}<br>%{customdata} features<extra></extra>",
        hoverongaps: false,
        ...heatScale(total),
      },
    ],
    layout: layout({
      margin: { l: 8, r: 6, t: 10, b: 8 },
      x: { name: "epoch", range: [0, run.spec.epochs], autorange: false, showgrid: false },
      y: { name: "γ", showgrid: false },
    }),
  };
}
