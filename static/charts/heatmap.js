/**
 * The heatmap of γ or β over time: a column per snapshot, a row per bin, coloured by the logarithm of the bin's count.
 */

import { LETTERS } from "../server/catalog.js";
import { heatScale } from "./colors.js";
import { binColumns, epochColumn, stepColumn } from "./columns.js";
import { binTicks, CENTRES, span } from "./histogram.js";
import { marker, momentAt } from "./moment.js";
import { Chart, layout } from "./plot.js";

export function heatmap(element, data, view) {
  const label = () => `Distribution of ${LETTERS[view.of]} over the epochs`;
  const chart = new Chart(element, label(), () => figure(data, view), {
    click: momentAt(data, view),
    table: () => table(data, view),
  });
  const refresh = () => {
    chart.refresh();
    chart.describe(`${label()}: ${data.snapshots.length} snapshots, one column each.`);
  };
  data.addEventListener("change", refresh);
  view.addEventListener("change", refresh);
  refresh();
  return chart;
}

/** A row per moment, a column per bin. */
function table({ snapshots }, { of }) {
  if (!snapshots.length) return null;
  const used = span(snapshots, of);
  return {
    columns: [stepColumn, epochColumn, ...binColumns(CENTRES.slice(...used), of)],
    rows: snapshots.map(({ step, epoch, [of]: counts }) => [step, epoch, ...counts.slice(...used)]),
    newest: true,
    note: "The number of features in each bin, labelled by its centre; the outermost bins include everything beyond.",
  };
}

function figure(data, view) {
  const { snapshots, run } = data;
  if (!snapshots.length) return null;
  const { of } = view;
  const used = span(snapshots, of);
  const bins = CENTRES.map((_, bin) => bin).slice(...used);
  const total = snapshots[0][of].reduce((sum, count) => sum + count, 0);
  return {
    data: [
      {
        type: "heatmap",
        x: snapshots.map(({ epoch }) => epoch),
        y: CENTRES.slice(...used),
        // An empty bin is transparent.
        z: bins.map((bin) => snapshots.map(({ [of]: counts }) => (counts[bin] ? Math.log10(counts[bin]) : null))),
        customdata: bins.map((bin) => snapshots.map(({ [of]: counts }) => counts[bin])),
        hovertemplate: `epoch %{x:.4~g}<br>${LETTERS[of]} ≈ %{y:.2f}<br>%{customdata} features<extra></extra>`,
        hoverongaps: false,
        ...heatScale(total),
      },
    ],
    layout: layout({
      uirevision: view.scene,
      margin: { l: 8, r: 6, t: 10, b: 8 },
      x: { name: "epoch", range: [0, run.spec.epochs], autorange: false, showgrid: false },
      y: { name: LETTERS[of], showgrid: false, ...binTicks(used) },
      shapes: marker(data, view),
    }),
  };
}
