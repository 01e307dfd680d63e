/**
 * The learning rate over the epochs, as planned and so far.
 */

import { token } from "../base/theme.js";
import { faint, policyColor } from "./colors.js";
import { epochColumn, stepColumn, THINNED, valueColumn, wordsColumn } from "./columns.js";
import { Chart, overEpochs } from "./plot.js";

/** `schedule`: promise of {epochs, lr}, the whole plan, or of null if the server did not send it. */
export function learningRate(element, data, schedule) {
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
          hovertemplate: "planned %{y:.4~g}<extra></extra>",
        },
        {
          x: known().map(({ epoch }) => epoch),
          y: known().map(({ lr }) => lr),
          name: "so far",
          mode: "lines",
          line: { color, width: 2.4 },
          hovertemplate: "used %{y:.4~g}<extra></extra>",
        },
      ],
      layout: overEpochs(data.run, { showlegend: true, margin: { l: 8, r: 12, t: 28, b: 8 }, y: { rangemode: "tozero" } }),
    };
  };
  const table = () => ({
    columns: [wordsColumn("Curve"), stepColumn, epochColumn, valueColumn("Learning rate", "lr")],
    rows: [
      ...(plan?.epochs ?? []).map((epoch, index) => ["planned", null, epoch, plan.lr[index]]),
      ...known().map(({ step, epoch, lr }) => ["so far", step, epoch, lr]),
    ],
    newest: true,
    note: `Values so far come first, the plan below them.${data.thinned ? ` ${THINNED}` : ""}`,
  });
  const chart = new Chart(element, "Learning rate by epoch", figure, { table, axis: "epoch" });
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
