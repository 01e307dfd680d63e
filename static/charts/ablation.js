/**
 * The ablation: the accuracy after every |γ| below a threshold is set to 0 without further training, and the share of γ
 * set to 0.
 */

import { percent } from "../base/format.js";
import { token } from "../base/theme.js";
import { faint, policyColor } from "./colors.js";
import { shareColumn, wordsColumn } from "./columns.js";
import { Chart, layout } from "./plot.js";

const NARROW = 420; // pixels: every third threshold has room for its label

/**
 * `rows`: the ablation in a run's findings; `policy`: sets the curve's colour; `place()`: the position of a line that
 * marks a threshold, in rows from the first; null: no line.
 */
export function ablation(element, rows, policy, place = () => null) {
  const chart = new Chart(element, words(rows), () => figure(rows, policy, place(), element.clientWidth < NARROW), { table: () => table(rows) });
  chart.refresh();
  return chart;
}

function figure(rows, policy, place, narrow) {
  const color = policyColor(policy);
  // Thresholds are labels at even distances, because a logarithmic axis cannot show 0.
  const x = rows.map(({ epsilon }) => String(epsilon));
  return {
    data: [
      {
        type: "bar",
        name: "γ set to 0",
        x,
        y: rows.map(({ zeroed }) => zeroed * 100),
        marker: { color: faint(color, 0.28) },
        hovertemplate: "%{y:.1f}% of all γ set to 0<extra></extra>",
      },
      {
        name: "test accuracy",
        x,
        y: rows.map(({ top1 }) => top1 * 100),
        customdata: rows.map(({ change }) => change * 100),
        mode: "lines+markers",
        line: { color, width: 2.4 },
        marker: { color, size: 6 },
        hovertemplate: "accuracy %{y:.2f}% (%{customdata:+.2f} points)<extra></extra>",
      },
    ],
    layout: layout({
      showlegend: true,
      margin: { l: 8, r: 12, t: 28, b: 8 },
      x: { name: "threshold ε", type: "category", showgrid: false, tickangle: 0, tickvals: narrow ? x.filter((_, k) => k % 3 === 0) : x },
      y: { ticksuffix: "%", range: [0, 100], autorange: false },
      hovermode: "x unified",
      bargap: 0.35,
      shapes: place === null ? [] : [mark(place)],
    }),
  };
}

/** Percentage points with a sign, but without "-0". */
const points = (share) => (share * 100).toFixed(2).replace(/^-0\.00$/, "0.00").replace(/^-/, "−");

const table = (rows) => ({
  columns: [
    wordsColumn("|γ| below", "epsilon"),
    shareColumn("γ set to 0", "zeroed"),
    shareColumn("Test accuracy", "top1"),
    { title: "Change in points", name: "change", text: points },
  ],
  rows: rows.map(({ epsilon, zeroed, top1, change }) => [epsilon, zeroed, top1, change]),
});

const mark = (place) => ({
  type: "line",
  x0: place,
  x1: place,
  yref: "paper",
  y0: 0,
  y1: 1,
  line: { color: token("ink"), width: 1.6, dash: "dot" },
});

function words(rows) {
  const [first] = rows;
  const told = rows
    .filter(({ epsilon }) => [0.01, 0.1].includes(epsilon))
    .map(
      ({ epsilon, zeroed, top1 }) =>
        `with γ below ${epsilon} set to 0, ${percent(zeroed)} of them, it is ${percent(top1)}`,
    );
  return `Threshold ablation: test accuracy ${percent(first.top1)} as trained; ${told.join("; ")}.`;
}
