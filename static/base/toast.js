/**
 * A message at the edge of the window about something that was just done, or could not be.
 */

import { h } from "./dom.js";

const STAYS_MS = 7000;

/**
 * `link`: {words, href}, offered beside the text. `action`: {words, act}, a button; `act()` promises the text for what
 * it did, or throws why it could not. A message with an action, or about what went wrong, stays until it is closed, and
 * so does a long one that `stays`.
 */
export function toast(text, { wrong = false, link = null, action = null, stays = wrong || action !== null } = {}) {
  const close = h("button", { type: "button", class: "icon-button", "aria-label": "Close the message" }, "×");
  const words = h("p", {}, text, link ? " " : null, link ? h("a", { href: link.href }, link.words) : null);
  const element = h(
    "div",
    { class: "toast", role: wrong ? "alert" : "status", "data-wrong": wrong },
    words,
    action ? actionButton(action, words) : null,
    close,
  );
  const remove = () => element.remove();
  close.addEventListener("click", remove);
  if (!stays) setTimeout(remove, STAYS_MS);
  const place = region();
  place.append(element);
  while (place.children.length > 3) place.firstElementChild.remove();
}

function actionButton({ words, act }, said) {
  const button = h("button", { type: "button", class: "button small" }, words);
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      said.textContent = await act();
      button.remove();
    } catch (refusal) {
      said.textContent = refusal.message;
      button.disabled = false;
    }
  });
  return button;
}

function region() {
  return document.querySelector(".toasts") ?? document.body.appendChild(h("div", { class: "toasts panel-host" }));
}
