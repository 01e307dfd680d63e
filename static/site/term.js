/**
 * Words with an explanation: a word that a page marks with `term()` shows its sentence on hover, focus or tap.
 * The sentences come from the server's glossary, which is fetched at the first use.
 */

import { ask } from "../server/api.js";
import { h } from "../base/dom.js";

const GAP = 8;

/** `words` as a button that explains the term `name` of the glossary. */
export const term = (name, words) => h("button", { type: "button", class: "term", "data-term": name }, words);

let glossary = null;
let shown = null; // the button whose sentence is visible
const tip = h("div", { id: "term-tip", class: "term-tip panel-host", role: "tooltip", hidden: true });

function sentences() {
  glossary ??= ask("/api/glossary").catch((refusal) => {
    glossary = null; // the next use tries again
    throw refusal;
  });
  return glossary;
}

async function open(button) {
  if (shown === button) return;
  shown = button;
  const words = await sentences()
    .then((terms) => terms[button.dataset.term])
    .catch(({ message }) => ({ title: button.textContent, sentence: message }));
  if (shown !== button || !button.isConnected || !words) return;
  tip.replaceChildren(h("b", {}, words.title), " ", words.sentence);
  (button.closest("dialog") ?? document.body).append(tip);
  button.setAttribute("aria-describedby", tip.id);
  tip.hidden = false;
  place(button);
}

function place(button) {
  const at = button.getBoundingClientRect();
  const { width, height } = tip.getBoundingClientRect();
  const left = Math.min(Math.max(GAP, at.left + at.width / 2 - width / 2), document.documentElement.clientWidth - width - GAP);
  const below = at.bottom + GAP + height < innerHeight;
  tip.style.left = `${left}px`;
  tip.style.top = `${below ? at.bottom + GAP : at.top - GAP - height}px`;
}

function close() {
  shown?.removeAttribute("aria-describedby");
  shown = null;
  tip.hidden = true;
}

const buttonOf = ({ target }) => target.closest?.(".term") ?? null;

/** Keeps the sentence while the pointer is on it or on the word: users of a magnifier need that. */
function pointed(event) {
  if (event.pointerType !== "mouse") return;
  const button = buttonOf(event);
  if (button) open(button);
  else if (shown && shown !== document.activeElement && !tip.contains(event.target)) close();
}

document.addEventListener("pointerover", pointed);
document.addEventListener("focusin", (event) => (buttonOf(event) ? open(buttonOf(event)) : close()));
document.addEventListener("focusout", close);
document.addEventListener("click", (event) => (buttonOf(event) ? open(buttonOf(event)) : close()));
document.addEventListener("scroll", () => shown && place(shown), { passive: true, capture: true });
document.addEventListener(
  "keydown",
  (event) => {
    if (event.key !== "Escape" || tip.hidden) return;
    event.stopPropagation();
    event.preventDefault();
    close();
  },
  true,
);
