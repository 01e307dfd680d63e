/**
 * Buttons that report offensive texts to the operator: a note, a tag, a nickname, a title. They need no login, and one
 * visitor's report counts once.
 */

import { h, show } from "../base/dom.js";
import { get, set } from "../base/storage.js";
import { toast } from "../base/toast.js";
import { ask } from "../server/api.js";

const KEPT = "onlybn.reported.";
const HINT = "Tells the operator that this is offensive. Nothing changes until somebody has looked at it.";

/**
 * A button that reports the text `what` ({kind, text}) of a run or a room, whose route is `path`. `words`: what it says
 * before; `done`: afterwards.
 */
export function reportText(words, done, path, what, className = "text-button") {
  const key = `${KEPT}${path}/${what.kind}/${what.text}`;
  const button = h("button", { type: "button", class: className, title: HINT }, words);
  const settle = () => {
    button.textContent = done;
    button.setAttribute("aria-disabled", "true");
  };
  if (get(key)) settle();
  button.addEventListener("click", async () => {
    if (button.getAttribute("aria-disabled") === "true") return;
    try {
      await ask(`${path}/report`, what);
      set(key, "yes");
      settle();
      toast("Reported, thank you. The operator of this server will look at it.");
    } catch (refusal) {
      toast(refusal.message, { wrong: true });
    }
  });
  return button;
}

/** A button that opens a choice of `texts`, each of which can be reported; none: it is hidden. */
export function reportOne(words, path, kind) {
  const button = h("button", { type: "button", class: "text-button", "aria-expanded": "false" }, words);
  const choice = h("span", { class: "report-choice", role: "group", "aria-label": "Choose what to report", hidden: true });
  const element = h("span", { class: "report-one" }, button, choice);
  let shown = "[]";
  button.addEventListener("click", () => {
    show(choice, choice.hidden);
    button.setAttribute("aria-expanded", String(!choice.hidden));
  });
  element.update = (texts) => {
    show(element, texts.length > 0);
    if (JSON.stringify(texts) === shown) return;
    shown = JSON.stringify(texts);
    choice.replaceChildren(
      ...texts.map((text) => reportText(text, `${text}: reported`, path, { kind, text }, "button small")),
    );
  };
  element.update([]);
  return element;
}
