/**
 * How a run goes on: the learning rate, planned and so far, and how many images a second it trains on.
 */

import { isOver } from "../server/catalog.js";
import { whole } from "../base/format.js";
import { token } from "../base/theme.js";
import { faint, policyColor } from "./colors.js";
import { countColumn, epochColumn, stepColumn, THINNED, valueColumn, wordsColumn } from "./columns.js";
import { Chart, layout } from "./plot.js";

/** `schedule`: promise of {epochs, lr}, the whole plan; null where the server did not say it. */
export function rate(element, data, schedule) {
  let plan = null;
  const isKnown = ({ lr }) => lr !== null && lr !== undefined;
  const known = () => data.points.train.filter(isKnown);
  const figure = () => {
    const { train } = data.points;
    if (!plan && !train.length) return null;
    const color = policyColor(data.run.spec.policy);
    return {
      data: [
        {
          x: plan?.epochs ?? [],
          y: plan?.lr ?? [],
          name: "planned",
          mode: "lines",
          line: { color: faint(token("line-strong"), 0.8), width: 1.4, dash: "dot" },
          hovertemplate: "planned %{y:.4~g}<br>epoch %{x:.2f}<extra></extra>",
        },
        {
          x: known().map(({ epoch }) => epoch),
          y: known().map(({ lr }) => lr),
          name: "so far",
          mode: "lines",
          line: { color, width: 2.4 },
          hovertemplate: "%{y:.4~g}<br>epoch %{x:.2f}<extra></extra>",
        },
      ],
      layout: layout({
        showlegend: true,
        margin: { l: 8, r: 12, t: 28, b: 8 },
        x: { name: "epoch", range: [0, data.run.spec.epochs], autorange: false },
        y: { rangemode: "tozero" },
      }),
    };
  };
  const table = () => ({
    columns: [wordsColumn("Curve"), stepColumn, epochColumn, valueColumn("Learning rate", "lr")],
    rows: [
      ...(plan?.epochs ?? []).map((epoch, index) => ["planned", null, epoch, plan.lr[index]]),
      ...known().map(({ step, epoch, lr }) => ["so far", step, epoch, lr]),
    ],
    newest: true,
    note: `The newest are those so far; below them stands the plan.${data.thinned ? ` ${THINNED}` : ""}`,
  });
  const chart = new Chart(element, "Learning rate by epoch", figure, { table });
  const refresh = () => {
    chart.refresh();
    const last = data.points.train.findLast(isKnown);
    const { recipe } = data.run.spec;
    chart.describe(`Learning rate by epoch: ${recipe.lr} in the recipe${last ? `, ${last.lr} at the last step` : ""}.`);
  };
  schedule.then((answer) => {
    plan = answer;
    refresh();
  });
  data.addEventListener("change", refresh);
  return chart;
}

/** Moving averages that the trainer said while it trained. */
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
          hovertemplate: "%{y:,.0f} images a second<br>epoch %{x:.2f}<extra></extra>",
        },
      ],
      layout: layout({
        x: { name: "epoch", range: [0, data.run.spec.epochs], autorange: false },
        y: { rangemode: "tozero" },
      }),
    };
  };
  const table = () => ({
    columns: [epochColumn, countColumn("Images a second", "images_per_s")],
    rows: data.speeds.map(({ epoch, images_per_s }) => [epoch, images_per_s]),
    newest: true,
    note: "Moving averages over some 50 steps; one for each part of the run is kept.",
  });
  const chart = new Chart(element, "Images a second by epoch", figure, { table });
  data.addEventListener("change", () => {
    chart.refresh();
    const last = data.speeds.at(-1);
    if (last) chart.describe(`Images a second by epoch: ${whole(last.images_per_s)} at epoch ${last.epoch.toFixed(1)}.`);
    element.dataset.empty = isOver(data.run) && !last;
  });
  return chart;
}
