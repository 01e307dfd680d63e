/**
 * The card of the curves: chart, legend, the same as a table, and its files.
 */

import { overlay } from "../charts/overlay.js";
import { h, show } from "../dom.js";
import { exportMenu, save, savePicture } from "../files.js";
import { token } from "../theme.js";
import { whole } from "../format.js";
import { controls } from "./controls.js";
import { comparisonJson, curvesCsv } from "./exports.js";
import { AXES, METRICS, shown } from "./groups.js";
import { legend } from "./legend.js";
import { pythonScript } from "./script.js";
import { BANDS } from "./statistics.js";

const ROWS = 40;
/** So many curves are drawn until somebody asks for all: more are a thicket, and slow. */
const FEW = 24;
const PICTURE = { width: 1100, height: 620 };

/** `state()` answers {source, view}; `change(patch)` changes the view, `remove(id)` takes a run out. */
export function curvesCard(state, change, remove) {
  let curves = [];
  let last = null;
  let all = false;
  const count = () => (all ? curves.length : Math.min(FEW, curves.length));
  const plot = h("div", { class: "plot tall" });
  const nothing = h("p", { class: "quiet" });
  const chart = overlay(
    plot,
    () => curves.slice(0, count()),
    () => state().view,
  );
  const key = legend(remove, () => {
    all = true;
    update(...last);
  });
  const how = controls(change);
  const numbers = numbersFold();
  const scale = () => METRICS[state().view.metric].scale;
  const name = () => `onlybn-${state().view.metric}-by-${state().view.x}`;
  const files = exportMenu("Export", {
    "Data as CSV": () => save(`${name()}.csv`, curvesCsv(curves, state().view, scale()), "text/csv"),
    "Everything as JSON": () => save(`${name()}.json`, JSON.stringify(comparisonJson(curves, state(), scale()), null, 1), "application/json"),
    "Picture (PNG)": () => picture(chart, "png", name()),
    "Picture (SVG)": () => picture(chart, "svg", name()),
    "Python script": () => save(`${name()}.py`, pythonScript(curves, state().view, location.href), "text/x-python"),
  });
  const element = h(
    "section",
    { class: "card overlay", "aria-labelledby": "curves-title" },
    h("div", { class: "overlay-head" }, h("h2", { id: "curves-title" }, "Curves"), files),
    how.element,
    nothing,
    plot,
    h("p", { class: "quiet compare-note", role: "note" }),
    key.element,
    numbers.element,
  );
  const note = element.querySelector(".compare-note");

  /** `now`: what curvesOf says of each group; `missing`: ids of which there is no run. */
  function update(now, view, missing) {
    curves = now;
    last = [now, view, missing];
    const there = curves.some(({ n }) => n);
    how.update(curves.flatMap(({ members }) => members.map(({ run }) => run)), view);
    nothing.textContent = there ? "" : emptyWords(curves, view);
    show(nothing, !there);
    show(plot, there);
    note.textContent = noteWords(curves, view, count());
    show(note, Boolean(note.textContent));
    key.update(curves, view, missing, count());
    numbers.update(curves, view);
    chart.refresh();
    chart.describe(sentence(curves, view));
  }
  return { element, update };
}

/** Saves a chart with a legend, which the page has beside it. */
export async function picture(chart, format, name) {
  const legend = { orientation: "h", x: 0, y: -0.14, yanchor: "top", font: { size: 11, color: token("ink") } };
  await savePicture(chart, format, name, { ...PICTURE, showlegend: true, legend, margin: { l: 60, r: 20, t: 20, b: 60 } });
}

function emptyWords(curves, { metric, x }) {
  const what = METRICS[metric].title.toLowerCase();
  if (x === "seconds" && curves.length) return "No run knows its seconds yet: choose epoch or step.";
  if (metric === "disabled") return "None of these runs has told its disabled features yet.";
  return `No run has a ${what} yet. It appears here as soon as the first has one.`;
}

function noteWords(curves, { metric, x, smooth }, count) {
  const alone = curves.filter(({ n, mean }) => n > 1 && !mean.length).length;
  const silent = curves.reduce((sum, { n, members }) => sum + members.length - n, 0);
  const there = curves.some(({ n }) => n);
  return [
    count < curves.length ? `${count} of ${whole(curves.length)} lines are drawn; group the runs to see all as means. The table and the files have every run.` : "",
    smooth ? `The strong lines are smoothed (${smooth.toFixed(2)}); the faint ones are raw, and so is every number below and in the files.` : "",
    alone ? `${alone === 1 ? "One group has" : `${alone} groups have`} no ${x === "step" ? "step" : "epoch"} that all its runs share, so its runs are drawn without a mean.` : "",
    there && silent ? `${whole(silent)} ${silent === 1 ? "run has" : "runs have"} no ${METRICS[metric].title.toLowerCase()} ${x === "seconds" ? "over seconds (a resumed run does not know all of its own)" : "yet"}.` : "",
  ]
    .filter(Boolean)
    .join(" ");
}

function sentence(curves, { metric, x }) {
  const there = curves.filter(({ n }) => n);
  const ends = there.slice(0, 8).map(({ name, n, mean, singles }) => {
    const last = n === 1 ? singles[0].points.at(-1) : mean.at(-1);
    return `${name}: ${last ? shown(metric, last.y) : "no mean"}`;
  });
  const more = there.length > 8 ? `; and ${there.length - 8} more` : "";
  return `${METRICS[metric].title} by ${AXES[x].title.toLowerCase()}, ${there.length} ${there.length === 1 ? "line" : "lines"}. At the end: ${ends.join("; ")}${more}.`;
}

/** The curves as a table, for eyes and ears that charts do not serve; filled when somebody opens it. */
function numbersFold() {
  const body = h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "The curves as a table" });
  const element = h("details", {}, h("summary", {}, "The curves as a table"), body);
  let last = null;
  const fill = () => {
    if (!element.open || !last) return;
    const fresh = numbersTable(...last);
    if (!fresh.isEqualNode(body.firstChild)) body.replaceChildren(fresh);
  };
  element.addEventListener("toggle", fill);
  return {
    element,
    update(...now) {
      last = now;
      fill();
    },
  };
}

function numbersTable(curves, { metric, x, band }) {
  const lines = curves.filter(({ n }) => n).map(({ name, n, mean, singles }) => ({ name, n, points: n === 1 ? singles[0].points : mean }));
  const all = [...new Set(lines.flatMap(({ points }) => points.map((point) => point.x)))].sort((a, b) => a - b);
  const stride = Math.max(1, Math.ceil(all.length / ROWS));
  const rows = all.filter((_, at) => at % stride === 0 || at === all.length - 1);
  const value = ({ points }, at) => {
    const point = points.find((one) => one.x === at);
    if (!point) return "";
    return point.ends ? `${shown(metric, point.y)} (${point.ends.map((end) => end.toFixed(METRICS[metric].digits)).join(" to ")})` : shown(metric, point.y);
  };
  const ends = lines.some(({ points }) => points.some((point) => point.ends)) ? `, mean (${BANDS[band].title.toLowerCase()})` : "";
  return h(
    "table",
    { class: "table" },
    h("caption", { class: "offscreen" }, `${METRICS[metric].title}${ends}`),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, AXES[x].title), lines.map(({ name, n }) => h("th", { scope: "col" }, `${name}, n = ${n}`)))),
    h("tbody", {}, rows.map((at) => h("tr", {}, h("th", { scope: "row" }, String(Number(at.toPrecision(5)))), lines.map((line) => h("td", {}, value(line, at)))))),
  );
}
