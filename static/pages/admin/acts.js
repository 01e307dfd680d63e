/**
 * What can be done with a run, and buttons that say what they did, or why they could not.
 */

import { h } from "../../base/dom.js";
import { toast } from "../../base/toast.js";
import { askAsAdmin } from "../../server/admin.js";

/** A button; `act()` promises {said, action} (see toast.js), and `again()` refreshes the page after it. */
export function actButton(words, act, again, { style = "button small", label = null } = {}) {
  const button = h("button", { type: "button", class: style, "aria-label": label }, words);
  button.addEventListener("click", () => doing(button, act, again));
  return button;
}

/** Does `act` while `button` is busy, and says what came of it. Returns whether it succeeded. */
export async function doing(button, act, again) {
  if (button.getAttribute("aria-busy") === "true") return false;
  button.setAttribute("aria-busy", "true"); // not disabled: it keeps the focus
  let done = false;
  try {
    const { said, action = null } = await act();
    toast(said, { action });
    done = true;
  } catch (refusal) {
    toast(refusal.message, { wrong: true });
  }
  button.removeAttribute("aria-busy");
  again();
  return done;
}

export const nameOfManaged = ({ name, id }) => (name ? `“${name}”` : `run ${id}`);

const change = (run, what) => askAsAdmin(`/api/admin/runs/${encodeURIComponent(run.id)}`, what);

export async function renameRun(run, name) {
  await change(run, { name });
  return { said: name ? `Run ${run.id} is now called “${name}”.` : `Run ${run.id} no longer has a name.` };
}

export async function pinRun(run, pinned) {
  await change(run, { pinned });
  return { said: `Run ${run.id} is ${pinned ? "pinned and will never be deleted" : "no longer pinned"}.` };
}

/** `again()` refreshes the page after an undo. */
export async function removeRun(run, again) {
  await change(run, { removed: true });
  const act = async () => {
    const { said } = await restoreRun(run);
    again();
    return said;
  };
  return { said: `Run ${run.id} was deleted. You can restore it for an hour.`, action: { words: "Undo", act } };
}

export async function restoreRun(run) {
  await change(run, { removed: false });
  return { said: `Run ${run.id} was restored.` };
}
