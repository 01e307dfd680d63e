/**
 * The line of a question that one sees before opening it: claim, verdict, a small figure, ours beside the paper's.
 */

import { h } from "../../base/dom.js";

/** `question` as the server lists it. `update(study)` shows a study or, with null, that nothing has run. */
export function row(question) {
  const chip = h("span", { class: "badge verdict" });
  const drawing = h("span", { class: "forest-slot" });
  const ours = h("span", { class: "beside-ours" });
  const element = h(
    "summary",
    {},
    h(
      "span",
      { class: "claim" },
      h("h2", { id: `${question.name}-title` }, question.title),
      h("span", { class: "claim-words" }, question.claim, reading(question)),
    ),
    chip,
    drawing,
    h("span", { class: "beside" }, ours, papers(question)),
  );
  element.update = (study) => {
    chip.textContent = state(study);
    chip.dataset.outcome = study?.verdict.outcome ?? "";
    drawing.replaceChildren(...picture(study?.drawing || question.drawing));
    ours.replaceChildren(...measured(study));
  };
  element.said = () => chip.textContent;
  return element;
}

function state(study) {
  if (!study) return "not run here yet";
  const { finished } = study.counts;
  const some = ["queued", "running"].includes(study.state) || study.state === "partial";
  return some && study.verdict.outcome === "undecided" ? `${finished} of ${study.members.length} runs` : study.verdict.words;
}

/** The server's SVG. It escapes all that it writes, and an SVG that was parsed as a document runs no script. */
function picture(text) {
  if (!text) return [];
  return [document.adoptNode(new DOMParser().parseFromString(text, "image/svg+xml").documentElement)];
}

function measured(study) {
  if (!study || study.ours === "–") return [];
  const from = study.shipped ? study.setting : `${study.setting}, run here`;
  return [term("Ours", "ours"), h("b", {}, study.ours), small(from)];
}

function papers({ own, paper, paper_setting: setting }) {
  if (own || paper === "–") return null;
  return h("span", { class: "beside-paper" }, term("Paper", "theirs"), h("b", {}, paper), small(setting));
}

const term = (word, whose) => h("span", { class: `term-${whose}` }, word);

const small = (text) => h("span", { class: "quiet" }, text);

const reading = ({ checked, own }) => (checked || own ? null : h("span", { class: "quiet" }, " (our reading)"));
