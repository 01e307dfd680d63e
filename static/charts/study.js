/**
 * The figure of a study: our means with intervals as filled circles, the paper's values as open symbols in the text's
 * colour, so that nobody confuses the two. They share an axis only where the setting is the paper's own.
 */

import { token } from "../base/theme.js";
import { policyColor } from "./colors.js";
import { countColumn, wordsColumn } from "./columns.js";
import { Chart, layout } from "./plot.js";

const SERIES = 6;

const NARROW = 560; // pixels below which the two panels stand one above the other

/** `figure()` returns the server's data (core/studies/figures.py), or null; `shared()`: whether one axis serves both. */
export function studyChart(element, label, figure, shared) {
  const draw = () => {
    const drawn = figure();
    if (!drawn) return null;
    const apart = !shared() && drawn.marks.length > 0 && drawn.series.length > 0;
    const layout = apart ? panels(drawn, element.clientWidth < NARROW) : frame(drawn);
    return { data: [...ours(drawn), ...papers(drawn, apart ? "2" : "")], layout };
  };
  return new Chart(element, label, draw, { table: () => (figure() ? table(figure()) : null) });
}

/** Our means and the paper's values; the first column says which is which. */
function table({ series, marks, ticks, labels, x_title, y_title, unit }) {
  const place = (x) => labels[ticks.indexOf(x)] ?? String(x);
  const value = (title, name) => ({ title, name: [name, unit.trim()].filter(Boolean).join(" "), text: (number) => `${number.toFixed(unit.trim() === "%" ? 2 : 3)}${unit}` });
  return {
    columns: [
      wordsColumn("Of whom", "source"),
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
    note: "Of ours the mean over replicates with its 95 % interval.",
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

function papers({ marks }, panel) {
  const color = token("ink");
  return marks.map(({ x, y, text, name, symbol }) => ({
    x,
    y,
    xaxis: `x${panel}`,
    yaxis: `y${panel}`,
    text,
    name,
    mode: "markers",
    marker: { symbol, size: 10, color, line: { color, width: 1.5 } },
    hovertemplate: "%{text}<extra></extra>",
  }));
}

/** Two panels, ours and the paper's, each with its own vertical axis; `stacked`: one above the other. */
function panels(drawn, stacked) {
  const [first, second] = [frame(drawn), frame({ ...drawn, series: [] })];
  const title = (text, x, y) => ({
    text, x, y, xref: "paper", yref: "paper", xanchor: "left", yanchor: "bottom", showarrow: false, font: { color: token("ink") },
  });
  const [left, right] = stacked ? [[0, 1], [0, 1]] : [[0, 0.46], [0.56, 1]];
  const [upper, lower] = stacked ? [[0.6, 1], [0, 0.38]] : [[0, 1], [0, 1]];
  return {
    ...first,
    margin: { ...first.margin, t: 26 },
    legend: { ...first.legend, y: stacked ? 1.06 : 1.08 },
    xaxis: { ...first.xaxis, domain: left, anchor: "y" },
    yaxis: { ...first.yaxis, domain: upper, anchor: "x" },
    xaxis2: { ...second.xaxis, domain: right, anchor: "y2" },
    yaxis2: { ...second.yaxis, domain: lower, anchor: "x2" },
    annotations: [title("ours", left[0], upper[1]), title(`the paper’s: ${drawn.marks_note}`, right[0], lower[1])],
  };
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
