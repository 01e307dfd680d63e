/**
 * A message at the edge of the window about something that was just done, or could not be.
 */

import { h } from "./dom.js";

const STAYS_MS = 7000;

/** `link`: {words, href}, offered beside the text. What went wrong stays until it is closed. */
export function toast(text, { wrong = false, link = null } = {}) {
  const close = h("button", { type: "button", class: "icon-button", "aria-label": "Close the message" }, "×");
  const element = h(
    "div",
    { class: "toast", role: wrong ? "alert" : "status", "data-wrong": wrong },
    h("p", {}, text, link ? " " : null, link ? h("a", { href: link.href }, link.words) : null),
    close,
  );
  const place = region();
  const remove = () => element.remove();
  close.addEventListener("click", remove);
  if (!wrong) setTimeout(remove, STAYS_MS);
  place.append(element);
  while (place.children.length > 3) place.firstElementChild.remove();
  return element;
}

function region() {
  return (
    document.querySelector(".toasts") ?? document.body.appendChild(h("div", { class: "toasts panel-host" }))
  );
}
