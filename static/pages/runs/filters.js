/**
 * The filters above the table of runs.
 */

import { architectureName, architectureTitle, options, STATES } from "../../server/catalog.js";
import { h } from "../../base/dom.js";
import { stateWord } from "../../base/widgets.js";

const TYPING_MS = 250;

/** The parts of the view that filter runs; the API has the same names. */
export const FILTERS = ["text", "state", "policy", "architecture", "dataset"];

/** `view` holds the present values; `change({key: value})` is called with the reader's settings. */
export function filters(view, change) {
  let timer = null;
  const search = h("input", {
    class: "search",
    type: "search",
    placeholder: "Find by name or id",
    "aria-label": "Find by name or id",
    value: view.text,
    maxlength: 100, // the API's limit
  });
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => change({ text: search.value.trim() }), TYPING_MS);
  });
  return h(
    "div",
    { class: "filters", role: "search", "aria-label": "Runs" },
    search,
    select(
      "State",
      "state",
      STATES.map((state) => [state, stateWord(state)]),
      view,
      change,
    ),
    select(
      "What trains",
      "policy",
      options.policies.map(({ name, title }) => [name, title]),
      view,
      change,
    ),
    select("Architecture", "architecture", options.families.flatMap(usual), view, change),
    select(
      "Data set",
      "dataset",
      options.datasets.map(({ name, title }) => [name, title]),
      view,
      change,
    ),
  );
}

/** The members of a family that the form offers to click; a link may name any other. */
const usual = (family) =>
  family.featured.map((number) => {
    const name = architectureName(family, number);
    return [name, architectureTitle(name)];
  });

function select(label, key, entries, view, change) {
  const known = !view[key] || entries.some(([value]) => value === view[key]);
  const all = [["", `${label}: all`], ...entries, ...(known ? [] : [[view[key], key === "architecture" ? architectureTitle(view[key]) : view[key]]])];
  const element = h(
    "select",
    { class: "select", "aria-label": label },
    all.map(([value, title]) => h("option", { value }, title)),
  );
  element.value = view[key];
  element.addEventListener("change", () => change({ [key]: element.value }));
  return element;
}
