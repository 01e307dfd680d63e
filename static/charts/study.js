/**
 * The figure of a study: our means with intervals as filled circles, the paper's values as open symbols in the text's
 * colour, so that nobody confuses the two.
 */

import { token } from "../base/theme.js";
import { policyColor } from "./colors.js";
import { countColumn, wordsColumn } from "./columns.js";
import { Chart, layout } from "./plot.js";

const SERIES = 6;

/** `figure()` returns the server's data (core/studies/figures.py), or null; `whole()`: what its table shows. */
export function studyChart(element, label, figure, whole = figure) {
  const draw = () => {
    const drawn = figure();
    return drawn && { data: [...ours(drawn), ...papers(drawn)], layout: frame(drawn) };
  };
  return new Chart(element, label, draw, { table: () => (whole() ? table(whole()) : null) });
}

/** Our means and the paper's values; the first column says which is which. */
function table({ series, marks, ticks, labels, x_title, y_title, unit }) {
  const place = (x) => labels[ticks.indexOf(x)] ?? String(x);
  const value = (title, name) => ({ title, name: [name, unit.trim()].filter(Boolean).join(" "), text: (number) => `${number.toFixed(unit.trim() === "%" ? 2 : 3)}${unit}` });
  return {
    columns: [
      wordsColumn("Source", "source"),
      wordsColumn("What", "series"),
      wordsColumn(x_title || "Setting", "x"),
      value(y_title || "Value", "y"),
      value("Interval from", "low"),
      value("to", "high"),
      countColumn("Runs", "runs"),
    ],
    rows: [
      ...series.flatMap(({ name, x, mean, low, high, values }) =>
        x.map((at, index) => ["ours", name, place(at), mean[index], low[index], high[index], values[index].length]),
      ),
      ...marks.flatMap(({ name, x, y }) => x.map((at, index) => ["the paper", name, place(at), y[index], null, null, null])),
    ],
    note: "Ours: the mean over replicates and its 95% interval.",
  };
}

function ours({ series, scaling, unit }) {
  const same = new Set(series.map(({ policy }) => policy)).size < series.length;
  return series.map(({ name, policy, x, mean, high, values }, index) => {
    const color = same ? token(`series-${(index % SERIES) + 1}`) : policyColor(policy);
    return {
      x,
      y: mean,
      name: `ours: ${name}`,
      mode: scaling === "log" ? "lines+markers" : "markers",
      line: { color, width: 2 },
      marker: { color, size: 9 },
      error_y: { type: "data", array: high.map((end, at) => (end ?? mean[at]) - mean[at]), color, thickness: 1.4 },
      customdata: values.map((all) => (all.length === 1 ? "1 run" : `mean of ${all.length} runs`)),
      hovertemplate: `%{y:.1f}${unit} · %{customdata}<extra>%{fullData.name}</extra>`,
    };
  });
}

function papers({ marks }) {
  const color = token("ink");
  return marks.map(({ x, y, text, name, symbol }) => ({
    x,
    y,
    text,
    name,
    mode: "markers",
    marker: { symbol, size: 10, color, line: { color, width: 1.5 } },
    hovertemplate: "%{text}<extra></extra>",
  }));
}

function frame({ scaling, ticks, labels, x_title, y_title, unit, series, marks }) {
  const log = scaling === "log";
  // Without data Plotly would draw the axis from -1 to 4.
  const empty = ![...series, ...marks].some(({ x }) => x.length);
  const whole = unit.trim() === "%" ? [0, 100] : [-10, 10];
  return layout({
    showlegend: true,
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", font: { size: 11, color: token("ink") } },
    margin: { l: 8, r: 12, t: 8, b: 8 },
    hovermode: "closest",
    x: {
      name: x_title,
      type: scaling,
      tickvals: ticks,
      ticktext: labels,
      ...(log ? { range: span(ticks) } : { categoryarray: ticks, range: [-0.5, ticks.length - 0.5] }),
    },
    y: { name: y_title, ticksuffix: unit, ...(empty ? { range: whole } : {}) },
  });
}

/** The range of a logarithmic axis around `ticks`, so that an empty figure already has its axis. */
function span(ticks) {
  const [low, high] = [Math.log10(ticks[0]), Math.log10(ticks.at(-1))];
  const room = Math.max(0.08, (high - low) * 0.06);
  return [low - room, high + room];
}
