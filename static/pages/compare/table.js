/**
 * The table of the runs, with sorting, search, a choice of columns, and differences to a pinned baseline. Values are as
 * measured, never smoothed.
 */

import { csv } from "../../base/csv.js";
import { h, show } from "../../base/dom.js";
import { exportMenu, save } from "../../base/files.js";
import { NONE, percent } from "../../base/format.js";
import { onTheme } from "../../base/theme.js";
import { badge } from "../../base/widgets.js";
import { COLUMNS, columnTitle, differing, fieldOf, FIELDS } from "./fields.js";
import { runName } from "./groups.js";
import { latexTable } from "./latex.js";
import { swatch } from "./legend.js";

const NUMBERS = new Set(["epochs", "replicate", "train_examples", "test_examples", "difference", "launched"]);
const isNumber = (key) => NUMBERS.has(key) || Boolean(fieldOf(key)?.number);
/** The field of which the table shows differences: the quantity of the curves. */
const compared = (view) => fieldOf(view.metric);

/** `change(patch)` changes the view (sorting, search, pin, columns); `remove(id)` takes a run out. */
export function comparedRuns(change, remove) {
  const search = h("input", { class: "search", type: "search", placeholder: "Find in the table", "aria-label": "Find in the table", maxlength: 100 });
  search.addEventListener("input", () => change({ find: search.value.trim() }));
  const picker = columnPicker(change);
  const head = h("tr");
  const body = h("tbody");
  const found = h("p", { class: "quiet", role: "status" });
  let shown = { rows: [], columns: [], view: null };
  const files = exportMenu("Export", {
    "Table as CSV": () =>
      save(
        "onlybn-runs.csv",
        csv([
          ["run", "name", ...shown.columns],
          ...shown.rows.map(({ run }) => [run.id, run.name ?? "", ...shown.columns.map((key) => plain(valueOf(run, key, shown)))]),
        ]),
        "text/csv",
      ),
    "Table as LaTeX": () => save("onlybn-runs.tex", latex(shown, differ()), "application/x-tex"),
  });
  const differ = () => differing(shown.rows.map(({ run }) => run));
  const rows = new Map();
  onTheme(() => rows.clear());
  let layout = "";
  const element = h(
    "section",
    { class: "card compare-table", "aria-labelledby": "compare-table-title" },
    h("div", { class: "overlay-head" }, h("h2", { id: "compare-table-title" }, "Runs"), h("div", { class: "actions" }, search, picker.element, files)),
    found,
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table of the compared runs" }, h("table", { class: "table" }, h("thead", {}, head), body)),
  );

  function update(watched, view, groups) {
    if (document.activeElement !== search) search.value = view.find;
    const runs = watched.map(({ run }) => run);
    const differ = differing(runs);
    const styles = new Map(groups.flatMap(({ members, style }) => members.map(({ id }) => [id, style])));
    const base = runs.find(({ id }) => id === view.base) ?? null;
    const columns = COLUMNS.filter((key) => view.columns.includes(key) && (key !== "difference" || base));
    picker.update(view.columns);
    const now = JSON.stringify([columns, view.sort, view.metric, view.base, differ.map(({ key }) => key), [...styles]]);
    if (now !== layout) {
      layout = now;
      rows.clear();
      head.replaceChildren(...heads(columns, view, change));
    }
    shown = { columns, view, base, rows: arranged(watched, view, base, columns, differ) };
    for (const data of shown.rows) {
      if (!rows.has(data.id)) rows.set(data.id, row(data, styles.get(data.id), columns, view, differ, change, remove));
      rows.get(data.id).update(data.run, shown);
    }
    const wanted = shown.rows.map(({ id }) => rows.get(id));
    if (wanted.length !== body.children.length || wanted.some((element, at) => body.children[at] !== element)) body.replaceChildren(...wanted);
    found.textContent = view.find ? `${wanted.length} of ${runs.length} runs match “${view.find}”.` : "";
    show(found, Boolean(view.find));
  }
  return { element, update };
}

/** The table as it is shown, for a paper; booktabs draws its lines. */
function latex(shown, differ) {
  const titles = ["Run", ...shown.columns.map((key) => (key === "difference" ? `Δ ${compared(shown.view).title.toLowerCase()}` : columnTitle(key)))];
  const rows = shown.rows.map(({ run }) => [runName(run, differ), ...shown.columns.map((key) => textOf(run, key, shown))]);
  return latexTable(titles, rows, [false, ...shown.columns.map(isNumber)], location.href);
}

/** The value of a cell; a difference is the run's result minus the baseline's. */
function valueOf(run, key, { view, base }) {
  if (key !== "difference") return fieldOf(key).value(run) ?? null;
  const [mine, its] = [run, base].map((one) => one && compared(view).value(one));
  return mine === null || its === null || mine === undefined || its === undefined || run.id === base.id ? null : mine - its;
}

const plain = (value) => (Array.isArray(value) ? value.join(" ") : typeof value === "boolean" ? String(value) : value);

function textOf(run, key, shown) {
  const value = valueOf(run, key, shown);
  if (key !== "difference") return value === null && isNumber(key) && !FIELDS.some((field) => field.key === key) ? NONE : fieldOf(key).text(value);
  if (run.id === shown.base?.id) return "baseline";
  if (value === null) return NONE;
  const sign = value < 0 ? "−" : "+";
  return compared(shown.view).scale === 100 ? `${sign}${percent(Math.abs(value))}` : sign + Math.abs(value).toFixed(4);
}

function arranged(watched, view, base, columns, differ) {
  const words = view.find.toLowerCase().split(/\s+/).filter(Boolean);
  const text = ({ run }) => [run.id, runName(run, differ), ...columns.map((key) => textOf(run, key, { view, base }))].join(" ").toLowerCase();
  const kept = words.length ? watched.filter((data) => words.every((word) => text(data).includes(word))) : [...watched];
  if (!view.sort) return kept;
  const key = view.sort.replace("-", "");
  const sign = view.sort.startsWith("-") ? -1 : 1;
  if (key === "difference" && !base) return kept;
  const value = (data) => (key === "name" ? runName(data.run, differ) : valueOf(data.run, key, { view, base }));
  return kept.sort((a, b) => order(value(a), value(b), sign));
}

/** Compares two values for sorting; missing values come last. */
function order(a, b, sign) {
  if (a === null || b === null) return (a === null) - (b === null);
  if (typeof a === "number" && typeof b === "number") return sign * (a - b);
  return sign * String(a).localeCompare(String(b), undefined, { numeric: true });
}

function heads(columns, view, change) {
  const made = ["name", ...columns].map((key) => {
    const number = isNumber(key);
    const title = key === "difference" ? `Δ ${compared(view).title.toLowerCase()}` : columnTitle(key);
    const sorted = view.sort.replace("-", "") === key;
    const down = view.sort.startsWith("-");
    const button = h("button", { type: "button", class: "sort" }, title);
    button.addEventListener("click", () => {
      const first = number ? `-${key}` : key;
      const other = number ? key : `-${key}`;
      change({ sort: !sorted ? first : view.sort === first ? other : "" });
      element.isConnected || document.querySelector(`.compare-table th[data-key="${key}"] button`)?.focus();
    });
    const element = h(
      "th",
      { scope: "col", class: number ? "number" : null, "data-key": key, "aria-sort": !sorted ? "none" : down ? "descending" : "ascending" },
      button,
    );
    return element;
  });
  return [h("th", { scope: "col" }, h("span", { class: "offscreen" }, "Remove, set as baseline")), ...made];
}

function row({ id, run }, style, columns, view, differ, change, remove) {
  const name = runName(run, differ);
  const state = badge(run);
  const cells = columns.map((key) => h("td", { class: isNumber(key) ? "number" : null }, key === "state" ? state : null));
  const pinned = view.base === id;
  const pin = h("button", { type: "button", class: "button small", "aria-pressed": String(pinned), "aria-label": `${name} as baseline` }, pinned ? "Unpin" : "Pin");
  pin.addEventListener("click", () => {
    const columns = view.columns.includes("difference") ? {} : { columns: [...view.columns, "difference"] };
    change({ base: pinned ? null : id, ...columns });
    document.getElementById(`pin-${id}`)?.focus();
  });
  pin.id = `pin-${id}`;
  const out = h("button", { type: "button", class: "icon-button", "aria-label": `Remove ${name} from the table and the charts` }, "×");
  out.addEventListener("click", () => remove(id));
  const element = h(
    "tr",
    { "data-base": pinned || null },
    h("td", { class: "compare-row-actions" }, out, pin),
    h("th", { scope: "row", class: "run-name" }, h("span", {}, swatch(style), h("a", { href: run.url, title: run.id }, name))),
    cells,
  );
  element.update = (now, shown) => {
    state.update(now);
    columns.forEach((key, at) => {
      if (key === "state") return;
      const text = textOf(now, key, shown);
      if (cells[at].textContent !== text) cells[at].textContent = text;
    });
  };
  return element;
}

function columnPicker(change) {
  let chosen = [];
  const boxes = COLUMNS.map((key) => {
    const box = h("input", { type: "checkbox" });
    box.addEventListener("change", () => {
      const next = COLUMNS.filter((other) => (other === key ? box.checked : chosen.includes(other)));
      if (next.length) change({ columns: next });
      else box.checked = true; // the table needs at least one column
    });
    return [key, box];
  });
  const element = h(
    "details",
    { class: "menu" },
    h("summary", { class: "button small" }, "Columns"),
    h("div", { class: "column-picker", role: "group", "aria-label": "Columns of the table" }, boxes.map(([key, box]) => h("label", {}, box, columnTitle(key)))),
  );
  element.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape") return;
    element.open = false;
    element.querySelector("summary").focus();
  });
  return {
    element,
    update(columns) {
      chosen = columns;
      for (const [key, box] of boxes) box.checked = columns.includes(key);
    },
  };
}
