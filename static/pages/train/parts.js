/**
 * A network's parameters by part: how many each part has, and how many of them train.
 */

import { h } from "../../base/dom.js";
import { whole } from "../../base/format.js";
import { term } from "../../site/term.js";

/** The glossary's term for a part, by its role. */
const TERMS = { convolution: "convolution", shortcut: "shortcut", gamma: "gamma", beta: "beta" };

/** The list's rows for the `parts` in the response of /api/preview. */
export const parts = ({ parts }) => parts.map(row);

function row({ role, title, total, trainable, scored }) {
  const look = trainable === 0 ? "frozen" : scored ? "kept" : "lit";
  const some = trainable > 0 && trainable < total;
  const what = scored ? "scored" : "train";
  const words = trainable === 0 ? "random" : some ? `of ${whole(total)} ${what}` : what;
  return h(
    "li",
    { "data-look": look },
    h("span", { class: `key ${look}`, "aria-hidden": "true" }),
    h("span", {}, TERMS[role] ? term(TERMS[role], title) : title),
    h("b", {}, whole(some ? trainable : total)),
    h("span", { class: "quiet" }, words),
  );
}
