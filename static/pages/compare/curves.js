/**
 * The card of the curves: chart, legend, table of numbers, and its files.
 */

import { dataFold } from "../../charts/numbers.js";
import { overlay } from "./overlay.js";
import { h, show } from "../../base/dom.js";
import { exportMenu, save, savePicture } from "../../base/files.js";
import { token } from "../../base/theme.js";
import { whole } from "../../base/format.js";
import { controls } from "./controls.js";
import { comparisonJson, curvesCsv } from "./exports.js";
import { AXES, METRICS, shown } from "./groups.js";
import { legend } from "./legend.js";
import { notebook, pythonScript } from "./python.js";
import { BANDS } from "../../charts/statistics.js";

/** The number of curves drawn until the reader asks for all: more are hard to read, and slow. */
const FEW = 24;
/** More lines in colour than the eye can hold: the others are grey until a reader touches them in the legend. */
const BRIGHT = 8;
const PICTURE = { width: 1100, height: 620 };

/**
 * `state()` returns {source, view}; `change(patch)` changes the view, `remove(id)` takes a run out; `further`: more
 * files for the menu.
 */
export function curvesCard(state, change, remove, further) {
  let curves = [];
  let last = null;
  let all = false;
  let touched = null;
  const count = () => (all ? curves.length : Math.min(FEW, curves.length));
  const plot = h("div", { class: "plot tall" });
  const nothing = h("p", { class: "quiet" });
  const chart = overlay(
    plot,
    () => curves.slice(0, count()).map((group, place) => muted(group, place, touched)),
    () => state().view,
  );
  const touch = (uid) => {
    if (uid === touched) return;
    touched = uid;
    chart.refresh();
  };
  const key = legend(remove, touch, () => {
    all = true;
    update(...last);
  });
  const how = controls(change);
  const options = h("details", { class: "compare-options", open: innerWidth > 640 }, h("summary", {}, "Options"), how.element);
  const data = dataFold(
    () => "Curves",
    () => curveNumbers(curves, state().view),
    () => `${name()}-wide`,
  );
  const scale = () => METRICS[state().view.metric].scale;
  const name = () => `onlybn-${state().view.metric}-by-${state().view.x}`;
  const files = exportMenu("Export", {
    "Data as CSV": () => save(`${name()}.csv`, curvesCsv(curves, state().view, scale()), "text/csv"),
    "Everything as JSON": () => save(`${name()}.json`, JSON.stringify(comparisonJson(curves, state(), scale()), null, 1), "application/json"),
    "Picture (PNG)": () => saveWithLegend(chart, "png", name()),
    "Picture (SVG)": () => saveWithLegend(chart, "svg", name()),
    "Python script": () => save(`${name()}.py`, pythonScript(curves, state().view, location.href), "text/x-python"),
    "Notebook": () => save(`${name()}.ipynb`, notebook(pythonScript(curves, state().view, location.href), location.href), "application/x-ipynb+json"),
    ...further,
  });
  const element = h(
    "section",
    { class: "card overlay", "aria-labelledby": "curves-title" },
    h("div", { class: "overlay-head" }, h("h2", { id: "curves-title" }, "Curves"), files),
    options,
    nothing,
    plot,
    h("p", { class: "quiet compare-note", role: "note" }),
    key.element,
    data.element,
  );
  const note = element.querySelector(".compare-note");

  /** `now`: the result of curvesOf for each group; `missing`: ids without a run. */
  function update(now, view, missing) {
    curves = now;
    last = [now, view, missing];
    const there = curves.some(({ n }) => n);
    how.update(curves.flatMap(({ members }) => members.map(({ run }) => run)), view);
    nothing.textContent = there ? "" : emptyWords(curves, view);
    const heard = curves.every(({ members }) => members.every((data) => data.heard));
    show(nothing, !there && heard && !view.question);
    show(plot, there || !heard || Boolean(view.question)); // the chart's room is kept until it is known to stay empty
    note.textContent = [count() > BRIGHT ? "Point at a name below to see its line in colour." : "", noteWords(curves, view, count())].filter(Boolean).join(" ");
    show(note, Boolean(note.textContent));
    key.update(curves, view, missing, count());
    data.update();
    chart.refresh();
    chart.describe(curvesSentence(curves, view));
  }
  return { element, update, fold: () => (options.open = false) };
}

/** `group` as it is drawn in its `place`: grey and thin, as it is, or strong while the reader touches it. */
function muted(group, place, touched) {
  const mine = group.uid === touched;
  const quiet = place >= BRIGHT && !mine;
  const style = quiet ? { ...group.style, color: token("line-firm"), width: 1 } : mine ? { ...group.style, width: 3.6 } : group.style;
  return { ...group, style, muted: quiet };
}

/** Saves a chart with its legend, which on the page is outside the chart. */
export async function saveWithLegend(chart, format, name) {
  const legend = { orientation: "h", x: 0, y: -0.14, yanchor: "top", font: { size: 11, color: token("ink") } };
  await savePicture(chart, format, name, { ...PICTURE, showlegend: true, legend, margin: { l: 60, r: 20, t: 20, b: 60 } });
}

/** Whether the curves of a run were deleted. */
const isLost = ({ run }) => Boolean(run?.lost?.curves);

function emptyWords(curves, { metric, x }) {
  const what = METRICS[metric].title.toLowerCase();
  if (curves.length && curves.every(({ members }) => members.every(isLost)))
    return "The curves of these runs were deleted to make room for newer runs. Their results are below.";
  if (x === "seconds" && curves.length) return "No run has recorded its time yet: choose epoch or step.";
  if (metric === "disabled") return "None of these runs has reported its disabled features yet.";
  return `No run has a ${what} yet. It will appear here as soon as one does.`;
}

export function noteWords(curves, { metric, x, smooth }, count) {
  const alone = curves.filter(({ n, mean }) => n > 1 && !mean.length).length;
  const lost = curves.reduce((sum, { members }) => sum + members.filter(isLost).length, 0);
  const silent = curves.reduce((sum, { n, members }) => sum + members.length - n, 0) - lost;
  const there = curves.some(({ n }) => n);
  return [
    count < curves.length ? `Showing ${count} of ${whole(curves.length)} lines; group the runs to see all of them as means. The table and the files include every run.` : "",
    smooth ? `The bold lines are smoothed (${smooth.toFixed(2)}); the faint ones are raw, as are all numbers below and in the files.` : "",
    alone ? `${alone === 1 ? "One group has" : `${alone} groups have`} no ${x === "step" ? "step" : "epoch"} that all its runs share, so its runs are drawn without a mean.` : "",
    there && lost ? `The curves of ${whole(lost)} ${lost === 1 ? "run" : "runs"} were deleted to make room for newer runs.` : "",
    there && silent > 0 ? `${whole(silent)} ${silent === 1 ? "run has" : "runs have"} no ${METRICS[metric].title.toLowerCase()} ${x === "seconds" ? "over seconds (the time of a resumed run is incomplete)" : "yet"}.` : "",
  ]
    .filter(Boolean)
    .join(" ");
}

export function curvesSentence(curves, { metric, x }) {
  const there = curves.filter(({ n }) => n);
  const ends = there.slice(0, 8).map(({ name, n, mean, singles }) => {
    const last = n === 1 ? singles[0].points.at(-1) : mean.at(-1);
    return `${name}: ${last ? shown(metric, last.y) : "no mean"}`;
  });
  const more = there.length > 8 ? `; and ${there.length - 8} more` : "";
  return `${METRICS[metric].title} by ${AXES[x].title.toLowerCase()}, ${there.length} ${there.length === 1 ? "line" : "lines"}. At the end: ${ends.join("; ")}${more}.`;
}

/** The curves as a table: a row for each position on the axis, a column for each curve, two more for its band. */
export function curveNumbers(curves, { metric, x, band }) {
  const lines = curves.filter(({ n }) => n).map(({ name, n, mean, singles }) => ({ name, n, points: n === 1 ? singles[0].points : mean }));
  const at = new Map(lines.map((line) => [line, new Map(line.points.map((point) => [point.x, point]))]));
  const places = [...new Set(lines.flatMap(({ points }) => points.map((point) => point.x)))].sort((a, b) => a - b);
  const banded = (line) => line.points.some(({ ends }) => ends);
  const { scale } = METRICS[metric];
  const text = (value) => shown(metric, value * scale);
  /** Shares are 0..1 in all our files. The axis multiplied the number; dividing it again changes its last digit. */
  const plain = (value) => (value === undefined ? null : Number((value / scale).toPrecision(12)));
  return {
    columns: [
      { title: AXES[x].title, name: x, text: (value) => String(Number(value.toPrecision(5))) },
      ...lines.flatMap((line) => {
        const title = `${line.name}${line.n > 1 ? `, mean of ${line.n}` : ""}`;
        return [title, ...(banded(line) ? [`${title}, from`, `${title}, to`] : [])].map((head) => ({ title: head, text }));
      }),
    ],
    rows: places.map((place) => [
      place,
      ...lines.flatMap((line) => {
        const point = at.get(line).get(place);
        return (banded(line) ? [point?.y, point?.ends?.[0], point?.ends?.[1]] : [point?.y]).map(plain);
      }),
    ]),
    note: `As measured, without smoothing.${lines.some(banded) ? ` From and to: ${BANDS[band].title.toLowerCase()}.` : ""}`,
  };
}
