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
  const cancel = button("Cancel selected", "cancel", (run) => !isOver(run));
  const remove = button("Delete selected", "remove", (run) => isOver(run) && !run.in_study);
  const element = h("span", { class: "bulk", role: "group", "aria-label": "Selected runs" }, cancel, remove);
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
    const words = `${RUNS(count)} deleted. You can restore ${count === 1 ? "it" : "them"} for an hour. ${rest}`.trim();
    return toast(words, { action: { words: "Undo", act: () => undo(removed) } });
  }

  async function undo(removed) {
    const { done, refused } = await changeRuns("restore", removed);
    for (const id of done) chosen.add(id);
    changed(done);
    const rest = without(refused.map(({ reason }) => reason));
    return `${RUNS(done.length)} restored. ${rest}`.trim();
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

/** `4 runs cancelled; 1 of them is still training and will stop in a moment.` */
function cancelled(count, stopping) {
  if (!count) return "No run was cancelled.";
  if (!stopping) return `${RUNS(count)} cancelled.`;
  return `${RUNS(count)} cancelled; ${stopping} of them ${IS(stopping)} still training and will stop in a moment.`;
}

/** The reason why no request is sent for a run. */
function reasonOf(run, action) {
  if (!runToken(run)) return ELSEWHERE;
  if (action === "remove" && run.in_study) return "needed by a study";
  return action === "cancel" ? "already ended" : "still active: cancel first";
}

/** `2 unchanged: 1 already ended; 1 launched in another browser.` */
function without(reasons) {
  if (!reasons.length) return "";
  const counts = new Map();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const each = [...counts].map(([reason, count]) => (counts.size > 1 ? `${count} ${reason}` : reason));
  return `${reasons.length} unchanged: ${each.join("; ")}.`;
}
