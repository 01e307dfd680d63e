/**
 * Keyboard shortcuts: `?` lists them. They do nothing while the reader types, and can be switched off.
 */

import { h } from "../base/dom.js";
import { at, frozen } from "../base/place.js";
import { get, set } from "../base/storage.js";

const KEPT = "onlybn.keys";
const WITHIN_MS = 1200; // from the first key of a pair to the second

const go = (path) => () => location.assign(at(path));
/** The shortcut to a page; the page's link in the header has its keys. */
const toPage = (link) => ({
  keys: link.dataset.keys.split(" "),
  words: `Go to ${link.textContent}`,
  act: go(link.getAttribute("href")),
});
const press = (selector) => ({ act: () => usable(selector)?.click(), where: () => Boolean(usable(selector)) });
/** The first match of `selector` that can be clicked now. */
const usable = (selector) => [...document.querySelectorAll(selector)].find((found) => !found.disabled && found.offsetParent !== null);

/** Keys, words, what they do, where they apply (by default everywhere), and what they need. */
const KEYS = [
  { keys: ["?"], words: "Show keyboard shortcuts", act: () => sheet() },
  ...[...document.querySelectorAll(".site-bar a[data-keys]")].map(toPage),
  { keys: ["n"], words: "New run", act: go("/train#form"), needs: "server" },
  { keys: ["/"], words: "Find a run", act: find },
  { keys: ["s"], words: "Share this page", ...press("[aria-haspopup=dialog]") },
  { keys: ["l"], words: "Launch the run in the form", ...press("#launch"), needs: "server" },
  { keys: ["x"], words: "Cancel this run", ...press('[data-does="cancel"]'), needs: "server" },
  { keys: ["p"], words: "Pin this run, or unpin it", ...press('[data-does="pin"]') },
  { keys: ["k"], words: "Play the training, or pause it", ...press(".player .play") },
  { keys: ["e"], words: "Evaluate the edited network", ...press('[data-does="evaluate"]'), needs: "server" },
  { keys: ["u"], words: "Undo the last edit", ...press('[data-does="undo"]'), needs: "server" },
  { keys: ["d"], words: "Switch between light and dark", ...press(".theme-button") },
].filter(({ needs }) => !frozen || needs !== "server");

const FIND = 'input[type="search"]';

function find() {
  const field = document.querySelector(FIND);
  if (field) field.focus();
  else location.assign(at("/runs#find"));
}

let first = null;
let since = 0;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || typing(event.target)) return;
  if (document.querySelector("dialog[open]") || (get(KEPT) === "off" && event.key !== "?")) return;
  const held = performance.now() - since < WITHIN_MS ? first : null;
  const found = KEYS.filter(({ where }) => !where || where()).find(({ keys }) =>
    keys.length === 2 ? keys[0] === held && keys[1] === event.key : !held && keys[0] === event.key,
  );
  const begins = KEYS.some(({ keys }) => keys.length === 2 && keys[0] === event.key);
  first = !found && begins ? event.key : null;
  since = performance.now();
  if (!found) return;
  event.preventDefault();
  found.act();
});

/** Whether `element` takes keys as text. A tile or a checkbox takes only arrows and space. */
const typing = (element) =>
  element.isContentEditable ||
  element.matches?.('textarea, select, input:not([type="radio"], [type="checkbox"], [type="button"], [type="range"])');

/** The dialog that lists all keys. */
export function sheet() {
  const on = h("input", { type: "checkbox", checked: get(KEPT) !== "off" });
  on.addEventListener("change", () => set(KEPT, on.checked ? null : "off"));
  const rows = KEYS.filter(({ where }) => !where || where()).map(({ keys, words }) =>
    h("div", {}, h("dt", {}, keys.map((key) => h("kbd", {}, key))), h("dd", {}, words)),
  );
  const dialog = h(
    "dialog",
    { class: "sheet panel-host", "aria-labelledby": "keys-title" },
    h(
      "div",
      { class: "sheet-head" },
      h("h2", { id: "keys-title" }, "Keyboard shortcuts"),
      h("button", { type: "button", class: "button small", onclick: () => dialog.close() }, "Close"),
    ),
    h("dl", { class: "keys" }, rows),
    h("label", { class: "sheet-row" }, on, "Enable shortcuts (inactive while you type)"),
    h("p", { class: "quiet" }, "New to all this? ", h("a", { href: "/about" }, "About"), " explains the paper and the terms."),
  );
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
}

if (location.hash === "#find") requestAnimationFrame(function look() {
  const field = document.querySelector(FIND);
  if (field) field.focus();
  else requestAnimationFrame(look);
});
