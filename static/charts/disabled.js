/**
 * Disabled features (|γ| below the threshold): their share in each layer now, and in the whole network over time.
 */

import { options } from "../catalog.js";
import { percent } from "../format.js";
import { policyColor } from "./colors.js";
import { Chart, layout } from "./plot.js";

const sum = (values) => values.reduce((total, value) => total + value, 0);

/** The share of all features that a snapshot says is disabled. */
export const disabledShare = (snapshot, layers) => sum(snapshot.disabled) / sum(layers.map(({ channels }) => channels));

/** Bars in the order of the forward pass. */
export function disabledByLayer(element, data) {
  const chart = new Chart(element, "Disabled features by layer", () => {
    const last = data.snapshots.at(-1);
    if (!last || !data.layers) return null;
    const { layers } = data;
    const shares = layers.map(({ channels }, index) => (last.disabled[index] / channels) * 100);
    return {
      data: [
        {
          type: "bar",
          x: layers.map((_, index) => index + 1),
          y: shares,
          marker: { color: policyColor(data.run.spec.policy) },
          customdata: layers.map((layer, index) => [layer.name, last.disabled[index], layer.channels]),
          hovertemplate:
            "%{customdata[0]}<br>%{customdata[1]} of %{customdata[2]} features (%{y:.1f} %)<extra></extra>",
        },
      ],
      layout: layout({
        x: {
          name: "layer, from input to output",
          range: [0.4, layers.length + 0.6],
          autorange: false,
          tickformat: "d",
          showgrid: false,
        },
        y: { ticksuffix: " %", rangemode: "tozero" },
        bargap: layers.length > 100 ? 0 : 0.2,
      }),
    };
  });
  data.addEventListener("change", () => {
    chart.refresh();
    const last = data.snapshots.at(-1);
    if (last && data.layers)
      chart.describe(
        `Disabled features by layer: ${percent(disabledShare(last, data.layers))} of all features have |γ| below ${options.disabled_below}.`,
      );
  });
  return chart;
}

/** A line over the epochs. */
export function disabledOverTime(element, data) {
  const chart = new Chart(element, "Disabled features over the epochs", () => {
    if (!data.snapshots.length || !data.layers) return null;
    return {
      data: [
        {
          x: data.snapshots.map(({ epoch }) => epoch),
          y: data.snapshots.map((snapshot) => disabledShare(snapshot, data.layers) * 100),
          mode: "lines",
          line: { color: policyColor(data.run.spec.policy), width: 2.4 },
          hovertemplate: "%{y:.1f} %<br>epoch %{x:.2f}<extra></extra>",
        },
      ],
      layout: layout({
        x: { name: "epoch", range: [0, data.run.spec.epochs], autorange: false },
        y: { ticksuffix: " %", rangemode: "tozero" },
      }),
    };
  });
  data.addEventListener("change", () => chart.refresh());
  return chart;
}
