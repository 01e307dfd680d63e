/**
 * The card of the scatter chart: choices of fields and of logarithmic axes, the chart, and its files.
 */

import { scatter } from "../../charts/scatter.js";
import { csv } from "../../base/csv.js";
import { h, show } from "../../base/dom.js";
import { exportMenu, save } from "../../base/files.js";
import { select } from "./controls.js";
import { saveWithLegend } from "./curves.js";
import { pointRows, pointsJson } from "./exports.js";
import { differing, fieldOf, FIELDS, RESULTS } from "./fields.js";
import { runName } from "./groups.js";
import { pointsScript } from "./python.js";

/** `change(patch)` changes the view. */
export function scatterCard(change) {
  let points = [];
  let view = null;
  const plot = h("div", { class: "plot tall" });
  const nothing = h("p", { class: "quiet" });
  const axes = () => ({ x: axisOf(view.scatter[0]), y: axisOf(view.scatter[1]), log: view.log });
  const chart = scatter(plot, () => points, axes);
  const entries = (fields) => Object.fromEntries(fields.map(({ key, title }) => [key, { title }]));
  const across = select("Across", entries([...RESULTS, ...FIELDS]), (key) => change({ scatter: [key, view.scatter[1]], log: fits(view.log, key, "x") }));
  const up = select("Up", entries(RESULTS), (key) => change({ scatter: [view.scatter[0], key], log: fits(view.log, key, "y") }));
  const log = select("Logarithmic", { none: { title: "No axis" }, x: { title: "Across" }, y: { title: "Up" }, xy: { title: "Both" } }, (key) => change({ log: key }));
  const name = () => `onlybn-${view.scatter[1]}-by-${view.scatter[0]}`;
  const files = exportMenu("Export", {
    "Data as CSV": () => save(`${name()}.csv`, csv(pointRows(points, axes())), "text/csv"),
    "Points as JSON": () => save(`${name()}.json`, JSON.stringify(pointsJson(points, axes()), null, 1), "application/json"),
    "Picture (PNG)": () => saveWithLegend(chart, "png", name()),
    "Picture (SVG)": () => saveWithLegend(chart, "svg", name()),
    "Python script": () => save(`${name()}.py`, pointsScript(points, axes(), location.href), "text/x-python"),
  });
  const element = h(
    "section",
    { class: "card scatter-card screen-only", "aria-labelledby": "scatter-title" },
    h("div", { class: "overlay-head" }, h("h2", { id: "scatter-title" }, "Runs as points"), files),
    h("div", { class: "compare-fields" }, up.element, across.element, log.element),
    nothing,
    plot,
    h("p", { class: "quiet compare-note" }, "Each point is a run, with the colour and symbol of its line above. The table below has the numbers."),
  );

  function update(groups, now) {
    view = now;
    const [x, y] = view.scatter.map(axisOf);
    const differ = differing(groups.flatMap(({ members }) => members.map(({ run }) => run)));
    points = groups.flatMap((group) =>
      group.members.map(({ run }) => ({ run, group, name: runName(run, differ), x: x.place(run), y: y.place(run) })).filter((point) => point.x !== null && point.y !== null),
    );
    if (view.log.includes("x")) points = points.filter((point) => !(point.x <= 0));
    if (view.log.includes("y")) points = points.filter((point) => !(point.y <= 0));
    across.set(x.key);
    up.set(y.key);
    log.set(view.log);
    nothing.textContent = points.length ? "" : `No run has both ${x.title.toLowerCase()} and ${y.title.toLowerCase()} yet.`;
    show(nothing, !points.length);
    show(plot, points.length > 0);
    chart.refresh();
    chart.describe(`${y.title} by ${x.title.toLowerCase()} of ${points.length} runs; the table below has the numbers.`);
  }
  return { element, update, drawn: () => ({ points, ...axes() }) };
}

const isNumber = (value) => typeof value === "number";

/** A field as an axis: a number is its position, any other value is a name. */
function axisOf(key) {
  const field = fieldOf(key);
  const place = (run) => {
    const value = field.value(run);
    if (value === null || value === undefined) return null;
    return isNumber(value) ? value * (field.scale ?? 1) : field.text(value);
  };
  return { ...field, place };
}

/** The logarithmic axes after the choice of field `key` for axis `letter`: counts and times start logarithmic. */
function fits(log, key, letter) {
  const wanted = ["trainable", "total", "seconds"].includes(key);
  const other = letter === "x" ? "y" : "x";
  const letters = [letter, other].filter((one) => (one === letter ? wanted : log.includes(one))).sort().join("");
  return letters || "none";
}
