/**
 * The numbers behind a chart as a foldable table, and as a file or for the clipboard. Each chart supplies its numbers.
 *
 * The table is made when the reader opens it, and follows the chart while it is open. Rows and cells stay in place, so
 * that the scroll position and a selection are kept.
 */

import { csv } from "../base/csv.js";
import { copyButton, h, show } from "../base/dom.js";
import { save } from "../base/files.js";
import { whole } from "../base/format.js";

const CELLS = 8000; // cells that a table shows, approximately, before it offers more
const LEAST = 40; // rows that a table shows at least

let folds = 0;

/**
 * `name()`: the chart's title. `table()` returns null while there are no numbers, or {columns, rows, newest, note}.
 * Columns are {title, name, text, words}: `name` is the heading in files, `text(value)` the shown text, and `words`
 * marks a column that is not numeric. Rows are lists of values in the order of files; `newest`: the table shows the
 * last row first; `note`: a sentence about the numbers. `file()`: a file's name.
 */
export function dataFold(name, table, file) {
  const id = `data-${(folds += 1)}`;
  const summary = h("summary", {}, "Data");
  const nothing = h("p", { class: "quiet" }, "No data yet.");
  const note = h("p", { class: "quiet", id });
  const copy = copyButton("Copy", () => lines(table(), "\t"), "button small");
  const download = h("button", { type: "button", class: "button small" }, "CSV");
  download.addEventListener("click", () => save(`${file()}.csv`, csv(plain(table())), "text/csv"));
  const bar = h("div", { class: "data-bar" }, note, h("div", { class: "actions" }, download, copy));
  const grid = tableOf(id);
  const more = h("button", { type: "button", class: "button small", hidden: true });
  more.addEventListener("click", () => {
    grid.extend();
    fill();
  });
  const body = h("div", { class: "data-body" }, nothing, bar, grid.element, more);
  const element = h("details", { class: "data" }, summary);
  let queued = false;

  function fill() {
    queued = false;
    if (!element.open) return;
    const now = table();
    const some = Boolean(now?.rows.length);
    show(nothing, !some);
    for (const part of [bar, grid.element]) show(part, some);
    const hidden = some ? grid.fill(now, name()) : 0;
    show(more, hidden > 0);
    if (!some) return;
    const words = more.dataset.words;
    if (words !== String(hidden)) more.textContent = `Show more: ${whole(hidden)} of ${whole(now.rows.length)} rows are hidden`;
    more.dataset.words = hidden;
    const said = `${whole(now.rows.length)} ${now.rows.length === 1 ? "row" : "rows"}${now.newest ? ", newest first" : ""}.${now.note ? ` ${now.note}` : ""}`;
    if (note.textContent !== said) note.textContent = said;
  }

  /** Updates the table soon, once for several changes. */
  function update() {
    summary.setAttribute("aria-label", `Data of the chart ${name()}`);
    if (queued || !element.open) return;
    queued = true;
    setTimeout(fill, 0);
  }
  element.addEventListener("toggle", () => {
    if (!body.isConnected) element.append(body);
    fill();
  });
  update();
  return { element, update };
}

/** The fold with the numbers of `chart`. */
export function chartFold(title, chart, file) {
  const fold = dataFold(
    () => title,
    () => chart.table(),
    file,
  );
  chart.addEventListener("refresh", fold.update);
  return fold;
}

/** A table in a scroll area; `fill(data, name)` returns how many rows it leaves out. */
function tableOf(describedBy) {
  const caption = h("caption", { class: "offscreen" });
  const [head, body] = [h("tr"), h("tbody")];
  const table = h("table", { class: "table data-table" }, caption, h("thead", {}, head), body);
  const element = h("div", { class: "scroll data-scroll", tabindex: "0", role: "region", "aria-describedby": describedBy }, table);
  let rows = []; // in the order of the data
  let heads = "";
  let pages = 1;

  function begin(columns) {
    const now = columns.map(({ title }) => title).join("\n");
    if (now === heads) return;
    heads = now;
    rows = [];
    body.replaceChildren();
    head.replaceChildren(...columns.map(({ title, words }) => h("th", { scope: "col", class: words ? null : "number" }, title)));
  }

  function fill({ columns, rows: values, newest }, name) {
    if (caption.textContent !== name) caption.textContent = name;
    element.setAttribute("aria-label", `Data: ${name}`);
    begin(columns);
    const most = pages * Math.max(LEAST, Math.floor(CELLS / columns.length));
    const count = Math.min(most, values.length);
    const [from, to] = newest ? [values.length - count, values.length] : [0, count];
    rows.length = Math.min(rows.length, values.length);
    for (let at = from; at < to; at += 1) {
      rows[at] ??= row(columns);
      rows[at].set(values[at]);
    }
    const wanted = rows.slice(from, to).map((made) => made.element);
    arrange(newest ? wanted.reverse() : wanted);
    return values.length - count;
  }

  /** Puts the rows in order, and keeps the scroll position when rows are added above it. */
  function arrange(wanted) {
    const before = element.scrollHeight;
    const keep = new Set(wanted);
    for (const there of [...body.children]) if (!keep.has(there)) there.remove();
    let [at, first] = [body.firstElementChild, null];
    for (const made of wanted) {
      if (made === at) at = at.nextElementSibling;
      else {
        first ??= made;
        body.insertBefore(made, at);
      }
    }
    if (first === body.firstElementChild && element.scrollTop > 0) element.scrollTop += element.scrollHeight - before;
  }

  return { element, fill, extend: () => (pages += 1) };
}

function row(columns) {
  const cells = columns.map(({ words }, index) =>
    h(index === 0 ? "th" : "td", { scope: index === 0 ? "row" : null, class: words ? null : "number" }),
  );
  return {
    element: h("tr", {}, cells),
    set(values) {
      columns.forEach(({ text }, index) => {
        const said = values[index] === null || values[index] === undefined ? "" : text(values[index]);
        if (cells[index].textContent !== said) cells[index].textContent = said;
      });
    },
  };
}

/** Headings and values as in files. */
const plain = ({ columns, rows }) => [columns.map(({ title, name }) => name ?? title), ...rows];

/** The rows as text for the clipboard, which a spreadsheet splits into cells. */
const lines = (data, between) =>
  plain(data)
    .map((values) => values.map((value) => value ?? "").join(between))
    .join("\n");
