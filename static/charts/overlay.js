/**
 * The curves of several runs in one chart.
 */

import { nameOf } from "../catalog.js";
import { styleOf } from "./colors.js";
import { Chart, layout } from "./plot.js";

export const QUANTITIES = {
  test: { title: "Test accuracy", split: "test", of: "top1", scale: 100, unit: "%{y:.1f} %", suffix: " %" },
  train: { title: "Train accuracy", split: "train", of: "top1", scale: 100, unit: "%{y:.1f} %", suffix: " %" },
  loss: { title: "Test loss", split: "test", of: "loss", scale: 1, unit: "%{y:.4f}", suffix: "" },
  train_loss: { title: "Train loss", split: "train", of: "loss", scale: 1, unit: "%{y:.4f}", suffix: "" },
};

/** `runs()` answers the RunData to draw, `quantity()` a key of QUANTITIES. */
export function overlay(element, runs, quantity) {
  const chart = new Chart(element, "Curves of the chosen runs", () => figure(runs(), quantity()));
  return {
    refresh() {
      chart.refresh();
      chart.describe(`${QUANTITIES[quantity()].title} by epoch of ${runs().length} runs; the list below says which.`);
    },
  };
}

function figure(runs, key) {
  const { title, split, of, scale, unit, suffix } = QUANTITIES[key];
  const drawn = runs.filter(({ run, points }) => run && points[split].length);
  if (!drawn.length) return null;
  const traces = drawn.map(({ id, run, points }) => ({
    uid: id,
    x: points[split].map(({ epoch }) => epoch),
    y: points[split].map((point) => point[of] * scale),
    name: nameOf(run),
    mode: split === "test" ? "lines+markers" : "lines",
    line: { ...styleOf(run.spec), width: split === "test" ? 2.2 : 1.3 },
    marker: { size: 4 },
    hovertemplate: `${unit} · epoch %{x:.2f}<extra>%{fullData.name}</extra>`,
  }));
  return {
    data: traces,
    // Another quantity is another view: its axes start afresh, a tick of the clock keeps the zoom.
    layout: layout({
      uirevision: key,
      x: { name: "epoch", rangemode: "tozero" },
      y: { ticksuffix: suffix, rangemode: "tozero", name: title },
      hovermode: "closest",
    }),
  };
}
