/**
 * The card above a comparison that says its answer. For a question: the progress of each run, the sentence when all are
 * over, and what the paper says. For other comparisons: the sentence, if two finished groups differ in one field.
 */

import { h, show } from "../../../base/dom.js";
import { progressBar, standing } from "../../../base/widgets.js";
import { isOver } from "../../../server/catalog.js";
import { notifySwitch, tellProgress } from "../../../site/progress.js";
import { answerOf, answerOfGroups, isOf, sideName } from "./answer.js";

const WAITING = "The answer appears when all runs have finished. You can leave this page; its link will show it.";

/** Call `update(question, members, groups)` after every change; `question` is null for other comparisons. */
export function questionCard() {
  const list = h("ol", { class: "answer-runs" });
  const said = h("p", { class: "answer-said" });
  const means = h("p", { class: "answer-means" });
  const claim = h("p", { class: "paper-claim" });
  const notify = notifySwitch();
  const element = h(
    "section",
    { class: "card answer", "aria-label": "Answer", hidden: true },
    list,
    h("div", { class: "answer-words", role: "status" }, said, means),
    h("p", {}, notify),
    claim,
  );
  const rows = new Map();

  function update(question, members, groups) {
    const runs = members.map(({ run }) => run);
    const asked = question && isOf(question, runs) ? question : null;
    const found = asked ? answerOf(asked, runs) : answerOfGroups(groups);
    show(element, Boolean(asked || found));
    show(list, Boolean(asked));
    element.classList.toggle("asked", Boolean(asked));
    write(said, found?.said ?? WAITING);
    write(means, found?.means ?? "");
    show(claim, Boolean(asked));
    if (!asked) return;
    for (const [at, run] of runs.entries()) {
      if (!rows.has(run.id)) rows.set(run.id, row(sideName(asked, at, run), run.url));
      rows.get(run.id).update(run);
    }
    const wanted = runs.map(({ id }) => rows.get(id));
    if (wanted.some((one, at) => list.children[at] !== one)) list.replaceChildren(...wanted);
    const { text, source } = asked.claim;
    if (!claim.firstChild) claim.append(...(source ? [h("b", {}, "The paper says"), ` ${text} `, h("span", {}, `(${source})`)] : [text]));
    const share = runs.reduce((sum, run) => sum + shareOf(run), 0) / runs.length;
    const over = runs.every(isOver);
    tellProgress({ share: over ? null : share, title: asked.sentence, done: found?.said ?? "All runs have ended." });
    notify.update(!over);
  }
  return { element, update };
}

/** Sets a text only if it differs, so that a screen reader hears it once. */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
  show(element, Boolean(text));
}

const shareOf = (run) => (isOver(run) ? 1 : run.progress.share);

function row(name, url) {
  const bar = progressBar();
  bar.setAttribute("aria-label", `Progress of ${name}`);
  const words = h("span", { class: "quiet" });
  const element = h("li", {}, h("a", { href: url }, name), bar, words);
  element.update = (run) => {
    bar.set(shareOf(run), run.state);
    const text = standing(run);
    if (words.textContent !== text) words.textContent = text;
  };
  return element;
}
