/**
 * Functions that make and find elements. Text is always inserted as text, never as HTML, so users cannot add markup.
 */

import { at } from "./place.js";

const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes and children; `onclick` and its like are listeners, null children are left out. */
export function h(tag, attributes = {}, ...children) {
  return assemble(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function s(tag, attributes = {}, ...children) {
  return assemble(document.createElementNS(SVG, tag), attributes, children);
}

function assemble(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "href" && at(value) === null) continue; // a frozen site has no such page: its link is only words
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : name === "href" ? at(value) : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** The descendant of `root` with data-slot="name". */
export function slot(root, name) {
  return root.querySelector(`[data-slot="${name}"]`);
}

/** Sets the text of a slot if it differs from the present one. */
export function say(root, name, text) {
  const element = slot(root, name);
  if (element && element.textContent !== String(text)) element.textContent = text;
  return element;
}

/** Shows or hides an element. */
export function show(element, visible) {
  if (element) element.hidden = !visible;
}

/** A button that copies what `text()` returns and says so; if copying is forbidden, it shows a field to copy from. */
export function copyButton(label, text, className = "button") {
  const button = h("button", { type: "button", class: className }, label);
  button.addEventListener("click", async () => {
    const done = await copy(text(), button);
    if (!done) return byHand(button, text());
    button.textContent = "Copied";
    announce("Copied to the clipboard.");
    setTimeout(() => (button.textContent = label), 1600);
  });
  return button;
}

/** Shows a field beside `button` with `text` selected, until the focus leaves it. */
function byHand(button, text) {
  const field = h("textarea", { class: "by-hand", readonly: true, rows: 1, "aria-label": "Copy this by hand" });
  field.value = text;
  field.addEventListener("blur", () => field.remove());
  button.after(field);
  field.focus();
  field.select();
  announce("The browser did not allow copying. The text is selected: copy it with the keyboard.");
}

async function copy(text, button) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Without https, or in a frame without permission, the clipboard API is missing or fails; execCommand still works.
    // The field goes into an open dialog, because a dialog makes everything outside it inert.
    const area = h("textarea", { class: "offscreen", "aria-hidden": "true" });
    area.value = text;
    (button.closest("dialog") ?? document.body).append(area);
    area.focus(); // not every browser focuses what is selected
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    button.focus();
    return done;
  }
}

/** Tells a screen reader `text` without showing it. */
export function announce(text) {
  const region =
    document.getElementById("announcer") ??
    document.body.appendChild(h("div", { id: "announcer", class: "offscreen", role: "status", "aria-live": "polite" }));
  region.textContent = text;
}

/** Focuses `field` as a page opens: while the page is still hidden (static/site/early.js) nothing can have the focus. */
export function focusAtOpening(field) {
  field.focus();
  const free = document.activeElement === document.body || !document.activeElement; // the reader is nowhere else
  if (free && field.isConnected) requestAnimationFrame(() => focusAtOpening(field));
}
