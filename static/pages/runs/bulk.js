/**
 * Actions on all ticked runs: cancel those that wait or run, delete those that have ended. Only the browser that
 * launched a run can do so. The reader learns why a run stays unchanged.
 */

import { changeRuns, runToken } from "../../server/api.js";
import { isOver } from "../../server/catalog.js";
import { h, show } from "../../base/dom.js";
import { toast } from "../../base/toast.js";

const ELSEWHERE = "launched in another browser";
const IS = (count) => (count === 1 ? "is" : "are");
const RUNS = (count) => `${count} ${count === 1 ? "run" : "runs"}`;

/**
 * `chosen`: the set of ids; `known`: the runs that the page has seen, by id. Calls `changed(done)` with the ids that
 * the server has changed. Call `update()` after a change of `chosen` or `known`.
 */
export function bulkActions(chosen, known, changed) {
  const cancel = button("Cancel them", "cancel", (run) => !isOver(run));
  const remove = button("Delete them", "remove", (run) => isOver(run) && !run.in_study);
  const element = h("span", { class: "bulk", role: "group", "aria-label": "With all ticked runs" }, cancel, remove);
  const runs = () => [...chosen].map((id) => known.get(id) ?? { id });

  /** `fits`: whether the action suits a run. For a run on another page the server decides, as its state is unknown. */
  function button(words, action, fits) {
    const made = h("button", { type: "button", class: "button small danger" }, words);
    made.possible = () => runs().filter((run) => runToken(run) && (!run.state || fits(run)));
    made.addEventListener("click", async () => {
      made.disabled = true;
      made.setAttribute("aria-busy", "true");
      try {
        await act(action, made.possible());
      } catch (refusal) {
        toast(refusal.message, { wrong: true });
      }
      made.removeAttribute("aria-busy");
      update();
    });
    return made;
  }

  async function act(action, fitting) {
    const others = runs().filter((run) => !fitting.includes(run));
    const { done, refused } = await changeRuns(action, fitting);
    const reasons = [...refused.map(({ reason }) => reason), ...others.map((run) => reasonOf(run, action))];
    const count = done.length;
    const rest = without(reasons);
    const wrong = count === 0;
    if (action === "cancel") {
      const stopping = fitting.filter((run) => done.includes(run.id) && run.state === "running").length;
      changed(done);
      return toast([cancelled(count, stopping), rest].join(" ").trim(), { wrong, stays: rest !== "" });
    }
    for (const id of done) chosen.delete(id);
    changed(done);
    if (wrong) return toast(["No run was deleted.", rest].join(" ").trim(), { wrong });
    const removed = fitting.filter(({ id }) => done.includes(id));
    const words = `${RUNS(count)} ${IS(count)} deleted, and can be brought back for an hour. ${rest}`.trim();
    return toast(words, { action: { words: "Undo", act: () => undo(removed) } });
  }

  async function undo(removed) {
    const { done, refused } = await changeRuns("restore", removed);
    for (const id of done) chosen.add(id);
    changed(done);
    const rest = without(refused.map(({ reason }) => reason));
    return `${RUNS(done.length)} ${IS(done.length)} back. ${rest}`.trim();
  }

  function update() {
    for (const made of [cancel, remove]) {
      const count = made.possible().length;
      show(made, count > 0);
      made.disabled = made.hasAttribute("aria-busy");
    }
    show(element, !cancel.hidden || !remove.hidden);
  }
  return { element, update };
}

/** `4 runs are cancelled; 1 of them still trains and stops in a moment.` */
function cancelled(count, stopping) {
  if (!count) return "No run was cancelled.";
  if (!stopping) return `${RUNS(count)} ${IS(count)} cancelled.`;
  return `${RUNS(count)} ${IS(count)} cancelled; ${stopping} of them still ${stopping === 1 ? "trains and stops" : "train and stop"} in a moment.`;
}

/** The reason why no request is sent for a run. */
function reasonOf(run, action) {
  if (!runToken(run)) return ELSEWHERE;
  if (action === "remove" && run.in_study) return "needed by a study";
  return action === "cancel" ? "ended already" : "not ended yet: cancel first";
}

/** `2 stay as they are: 1 ended already; 1 launched in another browser.` */
function without(reasons) {
  if (!reasons.length) return "";
  const counts = new Map();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const each = [...counts].map(([reason, count]) => (counts.size > 1 ? `${count} ${reason}` : reason));
  return `${reasons.length} ${reasons.length === 1 ? "stays as it is" : "stay as they are"}: ${each.join("; ")}.`;
}
