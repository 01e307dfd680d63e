/**
 * The legend of the curves: each one's line, name, number of runs and last value. A group of several runs unfolds into
 * its runs.
 */

import { h, s } from "../../base/dom.js";
import { whole } from "../../base/format.js";
import { runMark } from "../../base/mark.js";
import { onTheme } from "../../base/theme.js";
import { badge } from "../../base/widgets.js";
import { differing, fieldOf } from "./fields.js";
import { runName, shown } from "./groups.js";
import { BANDS } from "../../charts/statistics.js";

/**
 * `remove(id)` takes a run out, `touch(uid)` says which group the reader points at (null: none), `showAll()` shows every curve. Call `update(curves, view, missing, count)` after every
 * change; the chart draws the first `count` curves.
 */
export function legend(remove, touch, showAll) {
  const list = h("ol", { class: "legend-list" });
  const more = h("button", { type: "button", class: "button small", hidden: true, onclick: showAll });
  const entries = new Map();
  let last = null;
  onTheme(() => {
    entries.clear(); // the swatches need new colours
    if (last) update(...last);
  });

  function update(curves, view, missing, count) {
    last = [curves, view, missing, count];
    const differ = differing(curves.flatMap(({ members }) => members.map(({ run }) => run)));
    const drawn = curves.slice(0, count);
    const wanted = [
      ...drawn.map((group) => {
        const key = JSON.stringify([group.key, group.name, group.style, group.members.map(({ id }) => id)]);
        if (!entries.has(key)) entries.set(key, touchable(entry(group, differ, remove), group.uid, touch));
        const found = entries.get(key);
        found.update(group, view);
        return found;
      }),
      ...missing.map((id) => {
        const key = `missing ${id}`;
        if (!entries.has(key)) entries.set(key, missingEntry(id, remove));
        return entries.get(key);
      }),
    ];
    for (const [key, element] of entries) if (!wanted.includes(element)) entries.delete(key);
    if (wanted.length !== list.children.length || wanted.some((element, at) => list.children[at] !== element))
      list.replaceChildren(...wanted);
    more.hidden = drawn.length === curves.length;
    more.textContent = `Draw all ${curves.length}`;
  }
  return { element: h("div", { class: "legend-box" }, list, more), update };
}

/** `element`, which reports that the pointer or the focus is in it. */
function touchable(element, uid, touch) {
  for (const enter of ["pointerenter", "focusin"]) element.addEventListener(enter, () => touch(uid));
  for (const leave of ["pointerleave", "focusout"]) element.addEventListener(leave, () => touch(null));
  return element;
}

function missingEntry(id, remove) {
  return h(
    "li",
    { class: "legend-row" },
    h("span", { class: "legend-words quiet" }, `There is no run ${id} on this server.`),
    removal(id, id, remove),
  );
}

function entry(group, differ, remove) {
  return group.members.length === 1 ? runEntry(group, differ, remove) : groupEntry(group, differ, remove);
}

function runEntry({ name, style, members: [data] }, differ, remove) {
  const state = badge(data.run);
  const value = h("b", { class: "legend-value" });
  const element = h(
    "li",
    { class: "legend-row" },
    swatch(style),
    h("span", { class: "legend-words" }, h("a", { href: data.run.url }, name), runMark(data.run), facts(data.run)),
    state,
    value,
    removal(data.id, runName(data.run, differ), remove),
  );
  element.update = (group, { metric }) => {
    state.update(data.run);
    value.textContent = lastValue(group, metric);
  };
  return element;
}

function groupEntry({ name, style, members }, differ, remove) {
  const count = h("span", { class: "legend-count" });
  const value = h("b", { class: "legend-value" });
  const rows = members.map((data) => {
    const state = badge(data.run);
    const own = h("b", { class: "legend-value" });
    const title = `${runName(data.run, differ)}, replicate ${data.run.spec.replicate}`;
    const row = h("li", {}, h("span", { class: "legend-words" }, h("a", { href: data.run.url }, title), runMark(data.run)), state, own, removal(data.id, title, remove));
    row.update = (points, metric) => {
      state.update(data.run);
      own.textContent = points?.length ? shown(metric, points.at(-1).y) : data.run.lost?.curves ? "curves deleted" : "no value yet";
    };
    row.id_ = data.id;
    return row;
  });
  const element = h(
    "li",
    {},
    h(
      "details",
      {},
      h("summary", { class: "legend-row" }, swatch(style), h("span", { class: "legend-words" }, h("span", { class: "legend-name" }, name), count), value),
      h("ol", { class: "legend-members" }, rows),
    ),
  );
  element.update = (group, { metric, band, x: axis }) => {
    const { n } = group;
    const note = n > 1 ? meanNote(group, axis) : "";
    count.textContent = ` n = ${n === members.length ? n : `${n} of ${members.length}`}${note}`;
    value.textContent = lastValue(group, metric, band);
    for (const row of rows) row.update(group.singles.find(({ data }) => data.id === row.id_)?.points, metric);
  };
  return element;
}

/** A note if the mean ends before some of its runs. */
function meanNote({ mean, singles }, axis) {
  const at = axis === "step" ? "step" : "epoch";
  if (!mean.length) return ` · no ${at} in common, so no mean`;
  const last = mean.at(-1)[at];
  const longest = Math.max(...singles.map(({ points }) => points.at(-1)[at]));
  return longest > last ? ` · mean up to ${at} ${Number(last.toPrecision(5))}` : "";
}

/** The last value of a curve: the mean with its band. */
function lastValue({ n, mean, singles, members }, metric, band) {
  const last = n === 1 ? singles[0].points.at(-1) : mean.at(-1);
  if (!last) return members.every(({ run }) => run.lost?.curves) ? "curves deleted" : "no value yet";
  if (!last.ends) return shown(metric, last.y);
  return `${shown(metric, last.y)} (${last.ends.map((end) => shown(metric, end).replace(/%$/, "")).join(" to ")}${band === "t" ? "" : `, ${BANDS[band].title.toLowerCase()}`})`;
}

function facts(run) {
  const { spec, counts } = run;
  const words = ["dataset", "epochs", "replicate"].map((key) => {
    const { title, text, value } = fieldOf(key);
    return key === "dataset" ? text(value(run)) : key === "epochs" ? `${spec.epochs} epochs` : `${title.toLowerCase()} ${text(value(run))}`;
  });
  return h("span", { class: "quiet" }, `${words.join(" · ")} · ${whole(counts.trainable)} trainable`);
}

function removal(id, name, remove) {
  return h("button", { type: "button", class: "icon-button", "aria-label": `Remove ${name}`, onclick: () => remove(id) }, "×");
}

const DASH_ARRAYS = {
  solid: null,
  dash: "7 4",
  dot: "2 3",
  dashdot: "7 3 2 3",
  longdash: "11 4",
  longdashdot: "11 3 2 3",
};

const SHAPES = {
  circle: "M16 1a4.5 4.5 0 1 1 0 9a4.5 4.5 0 1 1 0-9",
  square: "M12 1.5h8v8h-8z",
  diamond: "M16 0.5l5 5l-5 5l-5-5z",
  "triangle-up": "M16 0.5l5 9h-10z",
  "triangle-down": "M16 10.5l5-9h-10z",
  cross: "M14.5 1h3v3h3v3h-3v3h-3v-3h-3v-3h3z",
  x: "M12.5 3.5l2-2l1.5 1.5l1.5-1.5l2 2l-1.5 2l1.5 2l-2 2l-1.5-1.5l-1.5 1.5l-2-2l1.5-2z",
  star: "M16 0l1.5 3.7l4 .3l-3 2.600 1 3.900l-3.500-2l-3.500 2l1-3.900l-3-2.600l4-.3z",
};

/** A curve's line with its symbol. */
export function swatch({ color, dash, symbol }) {
  const line = s("line", { x1: 1, x2: 31, y1: 5.5, y2: 5.5, stroke: color, "stroke-width": 2.5, "stroke-dasharray": DASH_ARRAYS[dash] });
  return s("svg", { width: 32, height: 11, "aria-hidden": "true" }, line, s("path", { d: SHAPES[symbol] ?? SHAPES.circle, fill: color }));
}
