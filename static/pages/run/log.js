/**
 * The log of a run, the newest line first: attempts, checkpoints, resumes, ends, each with its time.
 */

import { h } from "../../base/dom.js";
import { time, when } from "../../base/format.js";

/** The words for a line's kind, and whether it is good or bad news. */
const KINDS = {
  submitted: ["Launched"],
  claimed: ["Taken"],
  started: ["Started"],
  resumed: ["Resumed"],
  requeued: ["Queued again"],
  checkpoint: ["Checkpoint"],
  warning: ["Warning", "bad"],
  crashed: ["Crashed", "bad"],
  lost: ["Worker lost", "bad"],
  released: ["Given back"],
  cancelling: ["Stopping"],
  cancelled: ["Cancelled"],
  finished: ["Finished", "good"],
  failed: ["Failed", "bad"],
};

export function log(data) {
  const list = h("ol", { class: "log", reversed: true });
  const lines = new Map();
  const day = (at) => new Date(at * 1000).toDateString();
  data.addEventListener("change", () => {
    const known = new Set(data.log.map(({ id }) => id));
    for (const [id, element] of lines) {
      if (known.has(id)) continue;
      element.remove();
      lines.delete(id);
    }
    for (const said of data.log) {
      if (lines.has(said.id)) continue;
      const today = day(said.at) === day(Date.now() / 1000);
      lines.set(said.id, line(said, today));
      list.prepend(lines.get(said.id));
    }
  });
  return h("div", { class: "log-box", tabindex: "0", role: "region", "aria-label": "The log" }, list);
}

function line({ at, attempt, kind, message }, today) {
  const [word, mood] = KINDS[kind] ?? [kind];
  return h(
    "li",
    { "data-mood": mood },
    h("time", { datetime: new Date(at * 1000).toISOString(), title: when(at) }, today ? time(at) : when(at)),
    h("b", {}, word),
    h("span", {}, message),
    h("span", { class: "quiet log-attempt" }, attempt ? `attempt ${attempt}` : ""),
  );
}
