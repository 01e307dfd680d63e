/**
 * A message at the foot of the page, with something to do about it. It stays until it is closed or done, so that nobody
 * has to be quick, and says what came of it.
 */

import { h } from "../dom.js";

/** Shows `words` with a button `label`; `act()` promises the words for what it did, or throws why it could not. */
export function toast(words, label, act) {
  const text = h("span", { role: "status" }, words);
  const button = h("button", { type: "button", class: "button small" }, label);
  const close = h("button", { type: "button", class: "button small", "aria-label": "Close this message" }, "×");
  const element = h("aside", { class: "toast panel-host", "aria-label": "Message" }, text, button, close);
  close.addEventListener("click", () => element.remove());
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      text.textContent = await act();
      button.remove();
    } catch (refusal) {
      text.textContent = refusal.message;
      button.disabled = false;
    }
  });
  document.body.append(element);
}
