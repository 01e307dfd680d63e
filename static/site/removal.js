/**
 * Deleting a run and undoing that: a button on the run's page, a toast on the page of all runs, and a button in place
 * of the deleted run.
 */

import { ownerToken, remove, restore, runToken } from "../server/api.js";
import { isOver, nameOf } from "../server/catalog.js";
import { h, show } from "../base/dom.js";
import { tab } from "../base/storage.js";
import { toast } from "../base/toast.js";

const KEPT = "onlybn.removed"; // for the next page of this tab

/** The button that deletes a run; shown if this browser launched the run, it has ended, and no study needs it. */
export function removeButton(data) {
  const button = h("button", { type: "button", hidden: true }, "Delete");
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await remove(data.run);
      tab.set(KEPT, JSON.stringify({ id: data.run.id, name: nameOf(data.run) }));
      location.assign("/runs");
    } catch (refusal) {
      toast(refusal.message, { wrong: true });
      button.disabled = false;
    }
  });
  data.addEventListener("change", () => show(button, isOver(data.run) && !data.run.in_study && Boolean(runToken(data.run))));
  return button;
}

/** Says on the page of all runs what has just been deleted; calls `again()` after an undo. */
export function offerUndo(again) {
  const kept = tab.get(KEPT);
  if (!kept) return;
  tab.set(KEPT, null);
  const run = JSON.parse(kept);
  const act = async () => {
    await restore(run);
    again();
    return `“${run.name}” was restored.`;
  };
  toast(`“${run.name}” was deleted. You can restore it for an hour.`, { action: { words: "Undo", act } });
}

/** A button that restores a deleted run of this browser; null for all others. */
export function restoreButton(id) {
  if (!ownerToken(id)) return null;
  const problem = h("span", { role: "alert" });
  const button = h("button", { type: "button", class: "button" }, "Restore it");
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await restore({ id });
      location.reload();
    } catch (refusal) {
      problem.textContent = refusal.message;
      button.disabled = false;
    }
  });
  return h("p", {}, "If you deleted it within the last hour, you can restore it. ", button, " ", problem);
}
