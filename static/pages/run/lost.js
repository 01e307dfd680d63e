/**
 * What stands in place of the curves of a run that lost them to make room.
 */

import { h } from "../../base/dom.js";
import { day } from "../../base/format.js";
import { frozen } from "../../base/place.js";
import { cloneQuery } from "../../server/spec.js";

export function lostCurves(run) {
  const again = h("a", { href: `/train${cloneQuery(run)}` }, "Clone it");
  return h(
    "section",
    { class: "card", "aria-labelledby": "lost-title" },
    h("h2", { id: "lost-title" }, "Curves"),
    h(
      "p",
      { class: "lost-words" },
      `Its curves, snapshots and trained network were deleted on ${day(run.lost.at)} to make room for newer runs. Its `,
      "result and its log are kept. ",
      ...(frozen ? [] : [again, run.spec.start ? " to train it again." : " to train it again: the same seeds give the same curves."]),
    ),
  );
}
