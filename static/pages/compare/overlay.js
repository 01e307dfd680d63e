/**
 * A chart of the curves of several runs, and of the means of groups of runs with their bands.
 */

import { endNames } from "./ends.js";
import { METRICS, AXES } from "./groups.js";
import { BANDS, smoothed } from "../../charts/statistics.js";
import { faint } from "../../charts/colors.js";
import { Chart, crosshair, hovered, layout } from "../../charts/plot.js";
import { token } from "../../base/theme.js";

/** The number of points of a curve that get a symbol: more would hide the line. */
const MARKERS = 16;

/** `curves()` returns the result of curvesOf for each group, `view()` how to show them. */
export function overlay(element, curves, view) {
  return new Chart(element, "Curves of the chosen runs", () => {
    const drawn = curves().filter(({ n }) => n);
    if (!drawn.length && !(curves().length && view().question)) return null; // without curves there may be no view yet
    const back = [...drawn].sort((a, b) => b.muted - a.muted); // what is muted lies below
    return { data: back.flatMap((group) => traces(group, view())), layout: frame(view(), curves(), element) };
  });
}

/** The axis of epochs is as long as the longest run from the start; that of a question's accuracies ends at 100%. */
function frame({ metric, x, smooth, question }, groups, { clientWidth: width, clientHeight: height }) {
  const { title, suffix, split } = METRICS[metric];
  const epochs = Math.max(...groups.flatMap(({ members }) => members.map(({ run }) => run.spec.epochs)));
  const whole = question && split && METRICS[metric].of === "top1";
  const lines = groups.map((group) => ({ ...group, points: mainOf(group) })).filter(({ points, muted }) => points.length && !muted);
  const most = whole ? 101 : 1.05 * Math.max(0, ...lines.flatMap(({ points }) => points.map(({ y }) => y)));
  const { annotations = [], right = 12 } = endNames(lines.map((group) => ({ ...group, ...group.points.at(-1) })), most, { width, height });
  return layout({
    // Another quantity resets the zoom; new points keep it.
    uirevision: `${metric} ${x}`,
    margin: { l: 8, r: right, t: 10, b: 8 },
    annotations,
    x: { name: AXES[x].name, rangemode: "tozero", ...hovered(AXES[x].title.toLowerCase()), ...(x === "epoch" ? { range: [0, epochs * 1.02] } : {}) },
    y: { ticksuffix: suffix, rangemode: "tozero", ...(whole ? { range: [0, most] } : {}), name: smooth ? `${title}, smoothed ${smooth}` : title },
    ...crosshair,
  });
}

/** The points of a group's strong line. */
const mainOf = ({ n, singles, mean }) => (n === 1 ? singles[0].points : mean);

function traces(group, view) {
  const { n, singles, mean, style } = group;
  if (n === 1) return line(singles[0].points, group, view, "");
  const alone = view.singles || !mean.length; // without common steps there is no mean, so show the runs
  return [
    ...(alone ? singles.flatMap(({ data, points }) => single(points, group, data)) : []),
    ...(mean.some(({ ends }) => ends) ? [band(mean, group)] : []),
    ...line(mean, group, view, `mean of ${n} runs`),
  ].map((trace) => ({ ...trace, legendgroup: group.uid, line: { ...trace.line, dash: trace.line?.dash ?? style.dash } }));
}

/** The traces of a curve; a smoothed curve has its raw form behind it. */
function line(points, { name, short, style, uid }, view, what) {
  if (!points.length) return [];
  const { metric, smooth } = view;
  const { split } = METRICS[metric];
  const values = points.map(({ y }) => y);
  const common = {
    x: points.map((point) => point.x),
    name,
    legendgroup: uid,
    hovertemplate: `${escape(short)} %{customdata}<extra></extra>`,
  };
  const main = {
    ...common,
    uid,
    y: smoothed(values, smooth),
    customdata: points.map((point) => words(point, view, [what, smooth ? "smoothed" : ""])),
    mode: "lines+markers", // symbols distinguish runs of the same policy and architecture
    line: { color: style.color, dash: style.dash, width: split === "train" ? 0.75 * style.width : 1.1 * style.width },
    marker: { size: style.width < 2 ? 4 : 8, color: style.color, symbol: style.symbol, maxdisplayed: MARKERS },
  };
  if (!smooth) return [main];
  const raw = {
    ...common,
    uid: `${uid}-raw`,
    y: values,
    customdata: points.map((point) => words(point, view, [what])),
    mode: "lines",
    line: { color: faint(style.color, 0.3), width: 1 },
    showlegend: false,
  };
  return [raw, main];
}

const escape = (text) => text.replaceAll("<", "&lt;");

function words({ y, values, ends }, { metric, band }, notes) {
  const { digits, suffix } = METRICS[metric];
  const range = values && ends ? `(${BANDS[band].title} ${ends.map((end) => end.toFixed(digits)).join(" to ")})` : "";
  const said = notes.filter(Boolean).join(", ");
  return [`<b>${y.toFixed(digits)}${suffix}</b>`, range, said && `· ${said}`].filter(Boolean).join(" ");
}

function single(points, { style, uid }, { id }) {
  return [
    {
      uid: `${uid}-${id}`,
      x: points.map((point) => point.x),
      y: points.map((point) => point.y),
      mode: "lines",
      line: { color: faint(style.color, 0.45), width: 1 },
      showlegend: false,
      hoverinfo: "skip", // the label of the mean is enough
    },
  ];
}

function band(mean, { style, uid }) {
  const there = mean.filter(({ ends }) => ends);
  const back = [...there].reverse();
  return {
    uid: `${uid}-band`,
    x: [...there, ...back].map(({ x }) => x),
    y: [...there.map(({ ends }) => ends[1]), ...back.map(({ ends }) => ends[0])],
    mode: "lines",
    fill: "toself",
    fillcolor: faint(style.color, 0.16),
    line: { width: 0, color: style.color, dash: "solid" },
    hoverinfo: "skip",
    showlegend: false,
  };
}
