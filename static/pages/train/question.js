/**
 * A question of one's own: fields that vary, replicates, a claim. The form has what all its runs share.
 */

import { visit } from "../../base/address.js";
import { h, show, slot } from "../../base/dom.js";
import { range, whole } from "../../base/format.js";
import { guard } from "../../server/allowance.js";
import { Refusal } from "../../server/api.js";
import { number, pathOf, usualOf } from "../../server/spec.js";
import { askQuestion, previewQuestion, takeDraft } from "../../server/studies.js";
import { busy, showIn } from "../../site/launch.js";
import { webhookAddress } from "./webhook.js";
import { withLabel, workerLabel } from "./worker_label.js";
import { claimFields } from "./claim.js";
import { current } from "./form.js";
import { input, labelled, chooser } from "./labelled.js";
import { questionText } from "./question_text.js";
import { varyRows } from "./vary.js";

const WAIT_MS = 400;
const LAYOUTS = [
  ["grid", "Every combination"],
  ["side by side", "Side by side: the first values together, then the second ones"],
];
const SET_BY_QUESTION = ["replicate", "seeds", "name"];

export function mount(element) {
  const box = element.firstElementChild;
  const draft = takeDraft();
  if (draft) box.open = true;
  let block = null;
  const open = () => {
    if (box.open) block ??= build(element, box, draft);
    block?.changed();
  };
  box.addEventListener("toggle", open);
  open();
  if (draft) requestAnimationFrame(() => box.scrollIntoView({ block: "start" }));
}

/** Fills the block, which is made when it is opened first, with a question that waits for it, if there is one. */
function build(element, box, draft) {
  const { varied, quantities } = box.dataset;
  const title = labelled("Title", input({ maxlength: 60 }), "Shown as the heading, and in the names of the runs");
  const sentence = labelled("Question (optional)", input({ maxlength: 200 }));
  const rows = varyRows(JSON.parse(varied), usual, changed);
  const claim = claimFields(JSON.parse(quantities), rows, changed);
  const layout = labelled("Combine the fields", chooser(LAYOUTS));
  const replicates = labelled("Replicates", input({ inputmode: "numeric", value: "3" }), "A claim needs three");
  const order = labelled("Seed of the order", input({ inputmode: "numeric", value: "0" }), "Runs are trained in a shuffled order");
  const summary = h("p", { class: "asking-summary", role: "status" });
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const launch = h("button", { type: "button", class: "button primary" }, "Launch all runs");
  const texts = questionText();
  const plain = [title, sentence, layout, replicates, order];
  let ready = null; // the question that the server has priced
  let refused = ""; // why it cannot be launched
  let asked = 0;
  let timer = null;

  slot(element, "asking").append(
    h("p", { class: "quiet" }, "Fields that you choose here vary; all others are as in the form above. Every setting is trained several times, and all runs open side by side under one link."),
    h("div", { class: "asking-grid" }, title.element, sentence.element),
    rows.element,
    h("div", { class: "asking-grid" }, layout.element, replicates.element, order.element),
    claim.element,
    summary,
    h("div", { class: "actions" }, launch),
    problem,
    texts.element,
  );

  for (const part of plain) part.control.addEventListener("input", changed);
  layout.control.addEventListener("change", changed);
  guard(launch, 1, (why) => showIn(problem, why));
  launch.addEventListener("click", () =>
    busy(launch, problem, async () => {
      if (!ready || refused) throw new Refusal(refused || "Wait until the cost is known.", 422);
      visit((await withLabel(() => askQuestion(ready, webhookAddress(), workerLabel()))).url);
    }),
  );
  document.addEventListener("onlybn:form", changed);
  fill(draft ?? { vary: { policy: ["batchnorm", "random-2"] } });

  /** The form's value of the field at `path`. */
  function usual(path) {
    const found = path.split(".").reduce((at, part) => at?.[part], current ?? {});
    return found ?? (path.includes(".") ? usualOf(path.replace(/^recipe\./, ""), current?.policy) : path.endsWith("_examples") ? null : undefined);
  }

  function fill(question) {
    title.control.value = question.title ?? "";
    sentence.control.value = question.question ?? "";
    layout.control.value = question.layout ?? "grid";
    replicates.control.value = String(question.replicates ?? 3);
    order.control.value = String(question.order ?? 0);
    rows.fill(question.vary);
    claim.fill(question.claim ?? null);
  }

  /** The question as the server takes it. */
  function compose() {
    const base = structuredClone(current);
    for (const key of SET_BY_QUESTION) delete base[key];
    for (const path of rows.paths) drop(base, path);
    const tested = claim.value;
    return {
      title: title.control.value.trim() || rows.paths.map(rows.titleOf).join(" and "),
      ...(sentence.control.value.trim() ? { question: sentence.control.value.trim() } : {}),
      ...(tested ? { claim: tested } : {}),
      base,
      vary: rows.value,
      ...(layout.control.value === "grid" ? {} : { layout: layout.control.value }),
      replicates: number(replicates.control.value) ?? "",
      order: number(order.control.value) ?? 0,
    };
  }

  /** After a change: when typing pauses, the server says what the question costs. */
  function changed() {
    if (!box.open || !current || !summary.isConnected) return;
    claim.update();
    show(layout.element, rows.paths.length > 1);
    title.control.placeholder = rows.paths.map(rows.titleOf).join(" and ");
    ready = null;
    summary.dataset.state = "asking";
    clearTimeout(timer);
    timer = setTimeout(price, WAIT_MS);
  }

  async function price() {
    const turn = (asked += 1);
    clear();
    const fault = rows.fault();
    if (fault) return refuse(`vary.${fault.path}`, fault.words);
    const question = compose();
    try {
      const said = await previewQuestion(question);
      if (turn !== asked) return;
      ready = question;
      refused = said.refusal ?? "";
      tell(said);
      texts.draw(said.yaml);
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      if (turn === asked) refuseAll(refusal);
    }
  }

  function tell({ runs, settings, replicates, estimate_s: time, price, claim: tested, refusal, warnings }) {
    const minutes = price.processor_s / 60;
    const cost = minutes < 1.5 ? `${whole(price.processor_s)} seconds` : `${whole(minutes)} minutes`;
    const words = [
      `${whole(runs)} runs: ${whole(settings)} settings × ${replicates} replicates.`,
      `Time on this server: ${range(time)}, one after another.`,
      `Price: about ${cost} of a core.`,
      tested ? `To be tested: ${tested}` : "",
      ...warnings,
    ];
    say(words.filter(Boolean).join(" "), "ready");
    if (refusal) showIn(problem, refusal);
  }

  /** Shows each of the server's sentences at the control that it is about. */
  function refuseAll({ message, problems }) {
    say("", "refused");
    if (!problems.length) refuse("", message);
    for (const { field, sentence: words } of problems) refuse(field, words.replace(/^[a-z_.0-9]+: /, ""));
  }

  function refuse(place, words) {
    say("", "refused");
    refused = words;
    const [first, ...rest] = place.replace(/\.\d+$/, "").split("."); // the third value of a field is wrong at its field
    const single = { title, question: sentence, layout, replicates, order }[first];
    if (single) single.refuse(words);
    else if (first === "vary") rows.refuse(words, rest.join("."));
    else if (first === "claim") claim.refuse(words, rest[0]);
    else showIn(problem, first === "base" ? `The form above: ${words}` : words);
  }

  function clear() {
    refused = "";
    show(problem, false);
    for (const part of plain) part.refuse("");
    rows.refuse("");
    claim.refuse("");
  }

  function say(words, state) {
    summary.dataset.state = state;
    if (summary.textContent !== words) summary.textContent = words;
  }
  return { changed };
}

/** Takes the field at `path` out of a spec. */
function drop(spec, path) {
  const [part, field] = path.includes(".") ? pathOf(path) : [null, path];
  const within = part ? spec[part] : spec;
  if (within) delete within[field];
  if (part && within && !Object.keys(within).length) delete spec[part];
}
