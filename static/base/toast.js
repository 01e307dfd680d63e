/**
 * A message at the edge of the window about an action that has just succeeded or failed.
 */

import { h } from "./dom.js";

const STAYS_MS = 7000;

/**
 * Shows `text`. `link`: {words, href}, beside the text. `action`: {words, act}, a button; `act()` promises a text that
 * says what it did, or throws an error that says why it failed. A message with an action, an error, and a long message
 * with `stays` remain until the reader closes them.
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
