/**
 * Which fields of the run vary in a question, and the values that each takes: a row for each field.
 */

import { announce, h, show } from "../../base/dom.js";
import { list, number, text } from "../../server/spec.js";
import { input, labelled, chooser } from "./labelled.js";

const MOST = 6;
const SHOWN = 8; // examples in a hint
const PLAIN = { number: "Numbers, separated by commas", text: "The SHA-256 of files, separated by commas" };

const listsOf = ([first, second, third] = []) =>
  first
    ? `Lists of names, separated by semicolons: ${first}, ${second}; ${third}`
    : "Lists of numbers, separated by semicolons: 0.5, 0.75; 0.9";

/** `fields` as the server lists them; `usual(path)` is the form's value; `changed()` is called after each change. */
export function varyRows(fields, usual, changed) {
  const rows = [];
  const body = h("div", { class: "asking-rows" });
  const add = h("button", { type: "button", class: "button small" }, "Add a field");
  const problem = h("p", { class: "asking-problem", role: "alert", hidden: true });
  const element = h("fieldset", {}, h("legend", {}, "What varies"), body, problem, add);

  function append(path, values) {
    const row = one(fields, usual, changed, () => {
      rows.splice(rows.indexOf(row), 1);
      row.element.remove();
      announce("Field removed.");
      add.focus();
      settle();
    });
    row.fill(path, values);
    rows.push(row);
    body.append(row.element);
    settle();
    return row;
  }

  function settle() {
    show(add, rows.length < MOST);
    for (const row of rows) show(row.remove, rows.length > 1);
    changed();
  }

  add.addEventListener("click", () => {
    const taken = rows.map((row) => row.path);
    append(fields.find(({ path }) => !taken.includes(path)).path).focus();
  });

  return {
    element,
    /** {path: [value, ...]}, without rows that name a field twice. */
    get value() {
      return Object.fromEntries(rows.map((row) => [row.path, row.values]));
    },
    get paths() {
      return rows.map((row) => row.path);
    },
    /** The words of the row of `path`, as they were typed. */
    titleOf: (path) => fields.find((field) => field.path === path)?.title ?? path,
    /** A value of the field at `path` in words. */
    wordOf: (path, value) => (value === null && fields.find((field) => field.path === path)?.open) || text(value),
    fill(vary) {
      rows.splice(0).forEach((row) => row.element.remove());
      for (const [path, values] of Object.entries(vary)) append(path, values);
    },
    /** Shows an error at the row of `path`, or below all rows; "" takes all errors away. */
    refuse(words, path = "") {
      const row = rows.find((row) => row.path === path);
      if (!words) for (const other of rows) other.refuse("");
      row?.refuse(words);
      problem.textContent = row ? "" : words;
      show(problem, Boolean(words) && !row);
    },
    /** What is wrong before the server is asked, as {words, path}; null if nothing is. */
    fault() {
      const paths = rows.map((row) => row.path);
      const twice = paths.find((path, at) => paths.indexOf(path) !== at);
      if (twice) return { words: `${this.titleOf(twice)} appears twice.`, path: twice };
      const empty = rows.find((row) => !row.values.length);
      return empty ? { words: "Type the values, separated by commas.", path: empty.path } : null;
    },
  };
}

function one(fields, usual, changed, removed) {
  const field = labelled("Field", chooser(fields.map(({ path, title }) => [path, title])));
  const values = labelled("Values", input({ spellcheck: "false" }));
  const remove = h("button", { type: "button", class: "button small" }, "Remove");
  const known = () => fields.find(({ path }) => path === field.control.value);

  const choose = () => {
    const { kind, title, values: names, open } = known();
    remove.setAttribute("aria-label", `Remove ${title}`);
    const shown = names.slice(0, SHOWN).join(", ") + (names.length > SHOWN ? ", …" : "");
    values.hint(`${kind === "list" ? listsOf(names) : names.length ? `Such as ${shown}` : PLAIN[kind]}${open && `, or ${open}`}`);
  };
  field.control.addEventListener("change", () => {
    choose();
    values.control.value = asText(known(), [usual(known().path)]);
    changed();
  });
  values.control.addEventListener("input", changed);
  remove.addEventListener("click", removed);
  return {
    element: h("div", { class: "asking-row" }, field.element, values.element, remove),
    remove,
    refuse: values.refuse,
    focus: () => field.control.focus(),
    get path() {
      return field.control.value;
    },
    get values() {
      return asValues(known(), values.control.value);
    },
    fill(path, given) {
      if (fields.some((known) => known.path === path)) field.control.value = path;
      choose();
      values.control.value = asText(known(), given ?? [usual(path)]);
    },
  };
}

/** "0.1, 0.01" -> [0.1, 0.01], by the kind of the field. What is no such value goes to the server as it is. */
function asValues({ kind, open }, typed) {
  const words = typed.split(kind === "list" ? ";" : ",").map((word) => word.trim()).filter(Boolean);
  const value = { number, list, flag: (word) => ({ true: true, false: false })[word] ?? word, text: String }[kind];
  return words.map((word) => (open && word === open ? null : value(word)));
}

const asText = ({ kind, open }, values) =>
  values
    .filter((value) => value !== undefined)
    .map((value) => (value === null ? open : text(value)))
    .join(kind === "list" ? "; " : ", ");
