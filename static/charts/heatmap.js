/**
 * γ over time: one column a snapshot, one row a bin, colour by the logarithm of the number of features in it.
 */

import { token } from "../theme.js";
import { heat } from "./colors.js";
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
  const top = Math.log10(Math.max(total, 10));
  const ticks = [1, 10, 100, 1000, 10_000, 100_000].filter((count) => Math.log10(count) <= top);
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
        zmin: 0,
        zmax: top,
        colorscale: heat(),
        colorbar: {
          thickness: 8,
          outlinewidth: 0,
          tickvals: ticks.map(Math.log10),
          ticktext: ticks.map(String),
          tickfont: { size: 11, color: token("quiet") },
          ypad: 4,
        },
      },
    ],
    layout: layout({
      margin: { l: 8, r: 6, t: 10, b: 8 },
      x: { name: "epoch", range: [0, run.spec.epochs], autorange: false, showgrid: false },
      y: { name: "γ", showgrid: false },
    }),
  };
}
