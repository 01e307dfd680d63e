/**
 * The latest runs on the server; the list is updated while one of them is active.
 */

import { ask } from "../../server/api.js";
import { isOver, nameOf } from "../../server/catalog.js";
import { h, show, slot } from "../../base/dom.js";
import { since, when } from "../../base/format.js";
import { runMark } from "../../base/mark.js";
import { repeat } from "../../server/live.js";
import { badge, standing } from "../../base/widgets.js";

const SHOWN = 5;
const EVERY_MS = 2000;

export function latest(element) {
  const list = slot(element, "latest");
  repeat(async () => {
    const { runs, total } = await ask(`/api/runs?limit=${SHOWN}`);
    const rows = runs.map(row);
    // Replace rows only if something differs: a click must not lose its target.
    if (
      rows.some((element, index) => !element.isEqualNode(list.children[index])) ||
      rows.length !== list.children.length
    )
      list.replaceChildren(...rows);
    show(slot(element, "empty"), total === 0);
    show(slot(element, "all"), total > SHOWN);
    return runs.some((run) => !isOver(run));
  }, EVERY_MS);
}

function row(run) {
  return h(
    "li",
    {},
    h("a", { href: run.url }, h("span", { class: "latest-name" }, nameOf(run)), badge(run), runMark(run)),
    h("span", { class: "latest-facts" }, standing(run)),
    h("time", { class: "latest-when", title: when(run.created_at) }, since(run.created_at)),
  );
}
