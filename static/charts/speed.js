/**
 * A run's speed in images per second over the epochs.
 */

import { isOver } from "../server/catalog.js";
import { epochOf, whole } from "../base/format.js";
import { policyColor } from "./colors.js";
import { countColumn, epochColumn } from "./columns.js";
import { Chart, overEpochs } from "./plot.js";

/** The chart of the moving averages that the trainer reported. */
export function speed(element, data) {
  const figure = () => {
    if (!data.speeds.length) return null;
    const color = policyColor(data.run.spec.policy);
    return {
      data: [
        {
          x: data.speeds.map(({ epoch }) => epoch),
          y: data.speeds.map(({ images_per_s }) => images_per_s),
          mode: data.speeds.length < 3 ? "markers" : "lines",
          line: { color, width: 1.8 },
          marker: { color, size: 5 },
          hovertemplate: "%{y:,.0f} images per second<extra></extra>",
        },
      ],
      layout: overEpochs(data.run, { y: { rangemode: "tozero" } }),
    };
  };
  const table = () => ({
    columns: [epochColumn, countColumn("Images per second", "images_per_s")],
    rows: data.speeds.map(({ epoch, images_per_s }) => [epoch, images_per_s]),
    newest: true,
    note: "Moving averages over about 50 steps; one is kept for each part of the run.",
  });
  const chart = new Chart(element, "Images per second by epoch", figure, { table, axis: "epoch" });
  data.addEventListener("change", () => {
    chart.refresh();
    const last = data.speeds.at(-1);
    if (last) chart.describe(`Images per second by epoch: ${whole(last.images_per_s)} at epoch ${epochOf(last.epoch)}.`);
    element.dataset.empty = isOver(data.run) && !last;
  });
  return chart;
}
