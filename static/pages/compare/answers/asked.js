/**
 * The card above the runs of somebody's own question: what it asks, how far it is, its verdict, and its data.
 */

import { copyButton, h, show } from "../../../base/dom.js";
import { at, frozen } from "../../../base/place.js";
import { progressBar } from "../../../base/widgets.js";
import { repeat } from "../../../server/live.js";
import { changeStudy, isActive, isMine, lookAt, openInForm } from "../../../server/studies.js";
import { numbers, settings } from "../../../site/study.js";
import { notifySwitch, tellProgress } from "../../../site/progress.js";
import { studyWebhook } from "../../../site/webhook.js";

const EVERY_MS = 3000;
const EVERY_RUN_MS = 50; // a question of many runs is read more rarely

/** `told(title)` is called once it is known that the study with this id is somebody's own question. */
export function askedCard(told) {
  let study = null;
  const question = h("p", { class: "asked-question" });
  const claim = h("p");
  const chip = h("span", { class: "badge verdict" });
  const words = h("p", { class: "answer-means" });
  const bar = progressBar();
  const standing = h("p", { class: "quiet" });
  const notify = notifySwitch();
  const webhook = studyWebhook(() => study);
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const folds = [numbers(), settings()];
  const cancel = button("Cancel", "cancel", "button danger");
  const resume = button("Resume", "resume", "button");
  const again = h("button", { type: "button", class: "button" }, "Change and ask again");
  const copy = copyButton("Copy as YAML", () => study.asked.yaml);
  const csv = h("a", { class: "button", download: "" }, "CSV");
  const json = h("a", { class: "button", download: "onlybn-study.json" }, "JSON");
  const report = h("a", { class: "button", download: "" }, "Report");
  const element = h(
    "section",
    { class: "card answer", "aria-label": "Question", hidden: true },
    question,
    claim,
    h("div", { class: "answer-verdict", role: "status" }, chip, words),
    bar,
    standing,
    h("p", {}, notify),
    webhook,
    ...folds,
    h("div", { class: "actions" }, cancel, resume, frozen ? null : again, copy, csv, json, report),
    problem,
  );
  again.addEventListener("click", () => openInForm(study.asked.fields));

  function button(title, action, className) {
    const made = h("button", { type: "button", class: className }, title);
    made.addEventListener("click", async () => {
      made.disabled = true;
      show(problem, false);
      try {
        draw(await changeStudy(study.id, action));
        clock.wake();
      } catch (refusal) {
        problem.textContent = refusal.message;
        show(problem, true);
      }
      made.disabled = false;
    });
    return made;
  }

  function draw(now) {
    study = now;
    const { asked, verdict, counts, members, state, share } = study;
    const active = isActive(study);
    told(asked.title);
    write(question, asked.question);
    write(claim, asked.claim && `Claim: ${asked.claim}`);
    write(chip, verdict.words);
    chip.dataset.outcome = verdict.outcome;
    write(words, verdict.sentence);
    bar.set(share, state);
    show(bar, active);
    write(standing, said(counts, members.length));
    show(cancel, active && isMine(study));
    show(resume, !active && state !== "finished" && isMine(study));
    const base = `/api/studies/${study.id}`;
    [csv.href, json.href, report.href] = [`${base}/results.csv`, `${base}/results.json`, study.report].map(at);
    folds.forEach((fold) => fold.update(study));
    tellProgress({ share: active ? share : null, title: asked.title, done: `${verdict.words}. ${verdict.sentence}` });
    notify.update(active);
    webhook.update();
    show(element, true);
    return active;
  }

  let clock = null;
  return {
    element,
    /** Follows the study with this id until it is over, if it is somebody's own question. */
    follow(id) {
      clock ??= repeat(async () => {
        const now = await lookAt(id);
        return now.asked && draw(now) ? Math.max(EVERY_MS, EVERY_RUN_MS * now.members.length) : false;
      }, EVERY_MS);
    },
  };
}

/** Sets a text only if it differs, so that a screen reader hears it once. */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
  show(element, Boolean(text));
}

function said({ finished, running, failed, cancelled }, all) {
  const parts = [`${finished} of ${all} runs finished`];
  for (const [count, word] of [[running, "running"], [failed, "failed"], [cancelled, "cancelled"]]) if (count) parts.push(`${count} ${word}`);
  return parts.join(" · ");
}
