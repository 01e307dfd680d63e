/**
 * The button that reports an offensive name. It needs no login, and one visitor's report counts once.
 */

import { h } from "../../../base/dom.js";
import { frozen } from "../../../base/place.js";
import { get, set } from "../../../base/storage.js";
import { toast } from "../../../base/toast.js";
import { reportName, runToken } from "../../../server/api.js";

const KEPT = "onlybn.reported.";

/** The button; null for a run without a name, for an example, and for a run of this browser. */
export function reportButton(run) {
  if (frozen || !run.name || run.example || runToken(run)) return null;
  const button = h("button", { type: "button", class: "text-button" }, "Report this name");
  const done = () => {
    button.textContent = "Name reported";
    button.setAttribute("aria-disabled", "true");
  };
  button.title = "Tells the operator that the name is offensive. Nothing changes until somebody has looked at it.";
  if (get(KEPT + run.id) === run.name) done();
  button.addEventListener("click", async () => {
    if (button.getAttribute("aria-disabled") === "true") return;
    try {
      await reportName(run);
      set(KEPT + run.id, run.name);
      done();
      toast("Reported, thank you. The operator of this server will look at the name.");
    } catch (refusal) {
      toast(refusal.message, { wrong: true });
    }
  });
  return button;
}
