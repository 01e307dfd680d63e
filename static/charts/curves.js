/**
 * Accuracy and loss over the epochs of one run: what it trained on as a thin line, the test set as a strong one.
 */

import { percent } from "../format.js";
import { token } from "../theme.js";
import { faint, policyColor } from "./colors.js";
import { Chart, layout } from "./plot.js";

/** A chart of `quantity` ("top1" or "loss") of `data`, a RunData. */
export function curves(element, data, quantity) {
  const accuracy = quantity === "top1";
  const name = accuracy ? "Accuracy" : "Loss";
  const chart = new Chart(element, `${name} by epoch`, () => figure(data, quantity, accuracy));
  data.addEventListener("change", () => {
    chart.refresh();
    chart.describe(words(data, name, quantity, accuracy));
  });
  return chart;
}

function figure(data, quantity, accuracy) {
  if (!data.points.test.length && !data.points.train.length) return null;
  const color = policyColor(data.run.spec.policy);
  const scale = accuracy ? 100 : 1;
  const unit = accuracy ? "%{y:.1f} %" : "%{y:.4f}";
  const trace = (split, own) => ({
    x: data.points[split].map((point) => point.epoch),
    y: data.points[split].map((point) => point[quantity] * scale),
    name: split,
    hovertemplate: `${split} ${unit}<br>epoch %{x:.2f}<extra></extra>`,
    ...own,
  });
  return {
    data: [
      trace("train", { mode: "lines", line: { color: faint(color, 0.5), width: 1.2 } }),
      trace("test", { mode: "lines+markers", line: { color, width: 2.4 }, marker: { color, size: 5 } }),
    ],
    layout: layout({
      showlegend: true,
      margin: { l: 8, r: 12, t: 28, b: 8 },
      x: { name: "epoch", range: [0, data.run.spec.epochs], autorange: false },
      y: accuracy ? { name: "", ticksuffix: " %", rangemode: "tozero" } : { name: "", rangemode: "tozero" },
      hovermode: "closest",
      shapes: drops(data.run.spec),
    }),
  };
}

/** A faint line where the learning rate drops. */
function drops({ epochs, recipe }) {
  const line = { color: token("line-strong"), width: 1, dash: "dot" };
  if (recipe.schedule !== "step") return [];
  return recipe.lr_drops.map((share) => ({
    type: "line",
    x0: share * epochs,
    x1: share * epochs,
    yref: "paper",
    y0: 0,
    y1: 1,
    line,
    opacity: 0.6,
  }));
}

function words(data, name, quantity, accuracy) {
  const last = (split) => {
    const point = data.points[split].at(-1);
    if (!point) return "none yet";
    return accuracy ? percent(point[quantity]) : point[quantity].toFixed(3);
  };
  return `${name} by epoch: train ${last("train")}, test ${last("test")}.`;
}
