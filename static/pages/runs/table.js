/**
 * Queue and history as a table with sorting, a tick for each run, and pages.
 *
 * A row is made once and then updated in place, so that focus and ticks survive.
 */

import { architectureTitle, datasetTitle, nameOf, policyOf, titleOf } from "../../server/catalog.js";
import { h, show } from "../../base/dom.js";
import { duration, NONE, percent, sentence, since, when, whole } from "../../base/format.js";
import { gallery } from "../../site/gallery.js";
import { runMark } from "../../base/mark.js";
import { frozen } from "../../base/place.js";
import { term } from "../../site/term.js";
import { tagList } from "../../base/tags.js";
import { badge, waitsFor } from "../../base/widgets.js";
import { FILTERS } from "./filters.js";
import { groupRow, groupOf } from "./groups.js";

/** Title, the server's key for sorting (null: not sortable), and the text of a cell. */
const COLUMNS = [
  ["State", "state", null],
  ["Run", "name", null],
  ["Architecture", "architecture", ({ spec }) => architectureTitle(spec.architecture)],
  ["What trains", "policy", ({ spec }) => policyOf(spec.policy).title],
  ["Data set", "dataset", ({ spec }) => datasetTitle(spec)],
  ["Epochs", "epochs", ({ spec }) => whole(spec.epochs), "number"],
  ["Replicate", "replicate", ({ spec }) => whole(spec.replicate), "number"],
  ["Test accuracy", "top1", ({ top1 }) => percent(top1), "number"],
  ["Disabled", null, ({ disabled }) => percent(disabled), "number"],
  ["Launched", "created_at", ({ created_at }) => since(created_at)],
  ["Took", null, took, "number"],
];

/** Headings with an explanation. Sortable headings have none, because they are buttons already. */
const TERMS = { Disabled: () => term("disabled", "Disabled") };

function took({ result, progress, started_at, finished_at }) {
  const seconds =
    result?.seconds ?? progress.elapsed_s ?? (started_at && finished_at ? finished_at - started_at : null);
  return !seconds ? NONE : duration(seconds);
}

/** `change(patch)` sorts or turns the page, `choose(id, on)` ticks a run; `view` and `chosen` are the present state. */
export function table(view, chosen, { change, choose, size }) {
  const body = h("tbody");
  const heads = COLUMNS.map((column) => head(column, view, change));
  const nothing = h("p", { class: "quiet", hidden: true }, "No run matches these filters.");
  const first = firstRun();
  const fresh = onlyExamples();
  const examples = h("div", { hidden: true }); // both below the table, so that it does not move when they come
  const pages = h("nav", { class: "pager", "aria-label": "Pages of runs", hidden: true });
  const grid = h(
    "div",
    { class: "scroll card flush", tabindex: "0", role: "region", "aria-label": "Table of runs" },
    h(
      "table",
      { class: "table runs-table" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, h("span", { class: "offscreen" }, "Compare")), heads)),
      body,
    ),
  );
  const rows = new Map();
  const groups = new Map();
  return {
    element: h("section", { class: "runs-list", "aria-label": "Queue and history" }, nothing, first, grid, fresh, pages, examples),
    /** Shows `runs` of `total` (null: unknown), and those that the server cannot read. */
    fill(runs, total, unreadable = []) {
      const all = [...runs, ...unreadable];
      const plain = all.map((run) => {
        if (!rows.has(run.id)) rows.set(run.id, run.reason ? refused(run, chosen, choose) : row(run, chosen, choose));
        rows.get(run.id).update(run);
        return rows.get(run.id);
      });
      const wanted = view.group ? headed(plain, all, view.group, groups) : plain;
      if (wanted.some((element, index) => body.children[index] !== element) || body.children.length !== wanted.length)
        body.replaceChildren(...wanted);
      for (const id of rows.keys()) if (!all.some((run) => run.id === id)) rows.delete(id);
      heads.forEach((element) => element.update());
      const filtered = [...FILTERS, "mine", "question"].some((key) => view[key]);
      show(nothing, total === 0 && filtered);
      show(first, total === 0 && !filtered);
      const shipped = !filtered && runs.length > 0 && runs.length === total && runs.every((run) => run.example);
      if (shipped && !examples.children.length) examples.append(gallery());
      show(fresh, shipped);
      show(examples, shipped);
      show(grid, all.length > 0 || total === null); // also after an error: its headings choose another order
      turn(pages, view, total ?? 0, size, change);
    },
    mark() {
      for (const element of rows.values()) element.mark();
    },
  };
}

/** `rows`, those of `runs`, with a heading before the first row of each group. */
function headed(rows, runs, by, made) {
  let last = null;
  return runs.flatMap((run, at) => {
    const group = groupOf(run, by);
    const key = `${by} ${group.key}`;
    if (!made.has(key)) made.set(key, groupRow(group, COLUMNS.length + 1));
    const first = key !== last;
    last = key;
    return first ? [made.get(key), rows[at]] : [rows[at]];
  });
}

/** The card shown before anything has run. */
function firstRun() {
  return h(
    "div",
    { class: "card first", hidden: true },
    h("h2", {}, frozen ? "No runs" : "Nothing has run here yet"),
    h(
      "p",
      { class: "quiet" },
      frozen
        ? "This frozen site was made without runs. The paper’s questions show the results that came with OnlyBN."
        : "Runs appear here as soon as they are launched, by you or by anybody else on this server.",
    ),
    h("a", { class: "button", href: frozen ? "/paper" : "/train" }, frozen ? "The paper’s questions" : "Launch the first run"),
  );
}

/** The text above the table while it has nothing but the examples. */
function onlyExamples() {
  return h(
    "p",
    { class: "fresh-words", hidden: true },
    ...(frozen ? ["These runs came with OnlyBN:"] : ["You have not run anything here yet. ", h("a", { href: "/train" }, "Launch the first run"), ", or look at these:"]),
  );
}

function head([title, key, , kind], view, change) {
  if (!key) return Object.assign(h("th", { scope: "col", class: kind }, TERMS[title]?.() ?? title), { update() {} });
  const button = h("button", { type: "button", class: "sort" }, title);
  const element = h("th", { scope: "col", class: kind }, button);
  button.addEventListener("click", () => {
    const first = kind === "number" || key === "created_at" ? "desc" : "asc";
    const order = view.sort !== key ? first : view.order === "asc" ? "desc" : "asc";
    change({ sort: key, order });
  });
  element.update = () =>
    element.setAttribute("aria-sort", view.sort !== key ? "none" : view.order === "asc" ? "ascending" : "descending");
  element.update();
  return element;
}

function tickOf(run, name, choose) {
  const tick = h("input", { type: "checkbox", "aria-label": `Compare ${name}` });
  tick.addEventListener("change", () => {
    if (!choose(run.id, tick.checked)) tick.checked = false;
  });
  return tick;
}

/** The row of a run that the server cannot read, with the reason. */
function refused(run, chosen, choose) {
  const name = run.name || run.id;
  const tick = tickOf(run, name, choose);
  const why = h("td", { class: "quiet run-reason", colspan: COLUMNS.length - 2, title: run.reason }, `This version cannot read it: ${sentence(run.reason)}`);
  const link = h("a", { href: run.url }, name);
  const element = h("tr", {}, h("td", {}, tick), h("td", {}, badge({ state: "unreadable" })), h("td", { class: "run-name" }, link), why);
  element.mark = () => (tick.checked = chosen.has(run.id));
  element.update = element.mark;
  return element;
}

function row(run, chosen, choose) {
  const tick = tickOf(run, nameOf(run), choose);
  const state = badge(run);
  const link = h("a", { href: run.url, title: `${titleOf(run.spec)} (${run.id})` }, nameOf(run));
  const tags = tagList(run.tags);
  const waits = waitsFor();
  const cells = COLUMNS.slice(2).map(([, , , kind]) => h("td", { class: kind }));
  cells[7].title = when(run.created_at);
  const element = h("tr", {}, h("td", {}, tick), h("td", {}, state), h("td", { class: "run-name" }, link, runMark(run), tags, waits), cells);
  element.mark = () => (tick.checked = chosen.has(run.id));
  element.update = (now) => {
    if (link.textContent !== nameOf(now)) link.textContent = nameOf(now);
    tags.update(now.tags);
    waits.update(now);
    state.update(now);
    element.mark();
    COLUMNS.slice(2).forEach(([, , text], index) => {
      const value = text(now);
      if (cells[index].textContent !== value) cells[index].textContent = value;
    });
  };
  return element;
}

function turn(pages, view, total, size, change) {
  const at = Number(view.page);
  const last = Math.max(1, Math.ceil(total / size));
  const step = (title, to) => {
    const button = h("button", { type: "button", class: "button small" }, title);
    button.disabled = to < 1 || to > last;
    button.addEventListener("click", () => change({ page: String(to) }));
    return button;
  };
  const from = (at - 1) * size + 1;
  const words = `${whole(from)} to ${whole(Math.min(total, at * size))} of ${whole(total)}`;
  show(pages, total > size || at > 1);
  if (pages.dataset.words === words) return;
  pages.dataset.words = words;
  pages.replaceChildren(step("Newer", at - 1), h("span", { class: "quiet" }, words), step("Older", at + 1));
}
