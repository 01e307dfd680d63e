/**
 * The button that pins a run in this browser.
 */

import { h } from "../../../base/dom.js";
import { isPinned, pin } from "../../../server/pins.js";
import { toast } from "../../../base/toast.js";

export function pinButton({ id }) {
  const button = h("button", { type: "button", "data-does": "pin" });
  const draw = () => {
    const on = isPinned(id);
    button.setAttribute("aria-pressed", String(on));
    button.textContent = on ? "Pinned" : "Pin";
  };
  button.addEventListener("click", () => {
    const on = !isPinned(id);
    const kept = pin(id, on);
    draw();
    if (!kept) return toast("This browser does not let the page store anything, so the run cannot be pinned.", { wrong: true });
    toast(
      on
        ? "Pinned in this browser. It is listed first and shown as a reference line on other runs of this data set."
        : "No longer pinned.",
      { link: on ? { words: "See the runs", href: "/runs" } : null },
    );
  });
  draw();
  return button;
}
