/**
 * Accuracy and loss of one run over the epochs: the training images as a thin line, the test set as a thick one; behind
 * them the test curves of the runs to compare with.
 */

import { hasTop5 } from "../server/catalog.js";
import { decimal, percent } from "../base/format.js";
import { token } from "../base/theme.js";
import { faint, policyColor } from "./colors.js";
import { Chart, overEpochs } from "./plot.js";
import { epochColumn, stepColumn, THINNED, wordsColumn } from "./columns.js";
import { smoothed } from "./statistics.js";

/**
 * The chart of `quantity` ("top1" or "loss") of `data`, a RunData. `smoothing` has a `weight`, `rivals` has a `list` of
 * {data, name, dash}; both dispatch "change".
 */
export function curves(element, data, quantity, smoothing, rivals) {
  const accuracy = quantity === "top1";
  const name = accuracy ? "Accuracy" : "Loss";
  const chart = new Chart(element, `${name} by epoch`, () => figure(data, quantity, smoothing.weight, rivals.list), {
    table: () => table(data, quantity, rivals.list),
    axis: "epoch",
  });
  const refresh = () => {
    chart.refresh();
    chart.describe(words(data, name, quantity, accuracy));
  };
  for (const source of [data, smoothing, rivals]) source.addEventListener("change", refresh);
  return chart;
}

function figure(data, quantity, weight, rivals) {
  if (!data.points.test.length && !data.points.train.length) return null;
  const accuracy = quantity === "top1";
  const color = policyColor(data.run.spec.policy);
  const scale = accuracy ? 100 : 1;
  const unit = accuracy ? "%{y:.1f}%" : "%{y:.4f}";
  const trace = (points, name, own) => ({
    x: points.map((point) => point.epoch),
    y: points.map((point) => point[quantity] * scale),
    name,
    hovertemplate: `${name} ${unit}<extra></extra>`,
    ...own,
  });
  const { train, test } = data.points;
  const traces = [
    trace(train, "train", { mode: "lines", line: { color: faint(color, weight ? 0.22 : 0.5), width: 1.2 } }),
    trace(test, "test", { mode: "lines+markers", line: { color, width: 2.4 }, marker: { color, size: 5 } }),
  ];
  if (weight) {
    const strong = trace(train, "train, smoothed", { mode: "lines", line: { color: faint(color, 0.75), width: 1.6 } });
    traces.push({ ...strong, y: smoothed(strong.y, weight) });
  }
  for (const { data: rival, name, dash } of rivals) {
    if (!rival.points.test.length) continue;
    const line = { color: policyColor(rival.run.spec.policy), width: 1.6, dash };
    traces.push({ ...trace(rival.points.test, name, { mode: "lines", line }), uid: rival.id });
  }
  return {
    data: traces,
    layout: overEpochs(data.run, {
      showlegend: true,
      margin: { l: 8, r: 12, t: 28, b: 8 },
      y: accuracy ? { name: "", ticksuffix: "%", rangemode: "tozero" } : { name: "", rangemode: "tozero" },
      shapes: drops(data.run.spec),
    }),
  };
}

/** All points of all curves as measured, in the order of steps. */
function table(data, quantity, rivals) {
  const accuracy = quantity === "top1";
  const top5 = accuracy && hasTop5(data.run.spec);
  const points = ["train", "test"].flatMap((split) => data.points[split].map((point) => [split, point]));
  for (const { data: rival, name } of rivals) points.push(...rival.points.test.map((point) => [`${name}, test`, point]));
  points.sort(([, a], [, b]) => a.step - b.step);
  return {
    columns: [
      stepColumn,
      epochColumn,
      wordsColumn("Curve"),
      accuracy
        ? { title: "Accuracy", name: "top1", text: (value) => percent(value, 2) }
        : { title: "Loss", name: "loss", text: decimal },
      ...(top5 ? [{ title: "Top-5", name: "top5", text: (value) => percent(value, 2) }] : []),
    ],
    rows: points.map(([curve, point]) => [point.step, point.epoch, curve, point[quantity], ...(top5 ? [point.top5] : [])]),
    newest: true,
    note: `As measured, without smoothing.${data.thinned ? ` ${THINNED}` : ""}`,
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
