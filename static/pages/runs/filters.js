/**
 * The filters above the table of runs.
 */

import { architectureName, architectureTitle, options, STATES } from "../../server/catalog.js";
import { h } from "../../base/dom.js";
import { whole } from "../../base/format.js";
import { frozen } from "../../base/place.js";
import { ask } from "../../server/api.js";
import { stateWord } from "../../base/widgets.js";

const TYPING_MS = 250;

/** The parts of the view that filter runs; the API has the same names. */
export const FILTERS = ["text", "state", "policy", "architecture", "dataset", "tag"];

/** Further parts of the view, which no comparison has. */
export const MORE = ["question", "mine", "group"];

/** `view` holds the present values; `change({key: value})` is called with the reader's settings. */
export function filters(view, change) {
  let timer = null;
  const search = h("input", {
    class: "search",
    type: "search",
    placeholder: "Find by name, id or tag",
    "aria-label": "Find by name, id or tag",
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
    frozen ? null : select(
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
    tagSelect(view, change),
    select("Group", "group", GROUPS, view, change, "Not grouped"),
    frozen ? null : mineButton(view, change),
  );
}

const GROUPS = [
  ["study", "Group by study"],
  ["question", "Group by question"],
];

/** Offers the tags in use, as soon as the server has told them. */
function tagSelect(view, change) {
  const place = h("span", { class: "filter-tag" });
  const offer = (tags) => place.replaceChildren(select("Tag", "tag", tags, view, change));
  offer([]); // in its place from the start, so that nothing moves
  ask("/api/tags").then(
    (tags) => offer(tags.map(({ tag, runs }) => [tag, `${tag} (${whole(runs)})`])),
    () => {}, // without them the list works all the same
  );
  return place;
}

function mineButton(view, change) {
  const button = h("button", { type: "button", class: "button small", "aria-pressed": String(Boolean(view.mine)) }, "Mine");
  button.title = "Only the runs that were launched from this browser";
  button.addEventListener("click", () => {
    change({ mine: view.mine ? "" : "true" });
    button.setAttribute("aria-pressed", String(Boolean(view.mine)));
  });
  return button;
}

/** The members of a family that the form offers to click; a link may name any other. */
const usual = (family) =>
  family.featured.map((number) => {
    const name = architectureName(family, number);
    return [name, architectureTitle(name)];
  });

function select(label, key, entries, view, change, none = `${label}: all`) {
  const known = !view[key] || entries.some(([value]) => value === view[key]);
  const all = [["", none], ...entries, ...(known ? [] : [[view[key], key === "architecture" ? architectureTitle(view[key]) : view[key]]])];
  const element = h(
    "select",
    { class: "select", "aria-label": label },
    all.map(([value, title]) => h("option", { value }, title)),
  );
  element.value = view[key];
  element.addEventListener("change", () => change({ [key]: element.value }));
  return element;
}
