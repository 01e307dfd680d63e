/**
 * The ticked runs of the table, and a link to their comparison.
 */

import { h, show } from "../../base/dom.js";
import { whole } from "../../base/format.js";
import { at } from "../../base/place.js";
import { bulkActions } from "./bulk.js";
import { FILTERS } from "./filters.js";

export const MAX_CHOSEN = 200; // the comparison's limit

/**
 * `chosen` is the set of ids, `known` the runs that the page has seen, by id; `clear()` empties the set,
 * `changed(done)` is called with the ids of runs that the server has changed. `update(view, total)` passes the filters
 * and the number of matches.
 */
export function chosenBar(chosen, known, clear, changed) {
  const bulk = bulkActions(chosen, known, changed);
  const words = h("span", { class: "quiet", role: "status" });
  const go = h("a", { class: "button" }, "Compare selected");
  const none = h("button", { type: "button", class: "button small", onclick: clear }, "Clear");
  const all = h("a", {});
  const element = h("div", { class: "chosen-bar" }, words, go, bulk.element, none, all);

  function update(view, total) {
    const some = chosen.size > 0;
    words.textContent = some
      ? `${chosen.size} ${chosen.size === 1 ? "run" : "runs"} selected${chosen.size >= MAX_CHOSEN ? ", the most that can be compared" : ""}.`
      : "Select runs to compare.";
    go.href = at(`/compare?runs=${[...chosen].join(",")}`);
    show(go, some);
    show(none, some);
    bulk.update();
    const query = new URLSearchParams(FILTERS.filter((key) => view[key]).map((key) => [key, view[key]]));
    show(all, !some && total > 1 && query.size > 0 && !view.mine && !view.question);
    all.href = at(`/compare?${query}`);
    all.textContent = `Compare all ${whole(total)} matches`;
  }
  return { element, update };
}
