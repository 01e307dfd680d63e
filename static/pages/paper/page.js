/**
 * The Paper page: a card for each question of the paper. `?study=ID` shows a study, `#depth` a question,
 * `?scale=evening#depth` a question at a scale. The URL follows the reader's choices.
 */

import { rewrite } from "../../base/address.js";
import { ask, Refusal } from "../../server/api.js";
import { isRunId } from "../../server/catalog.js";
import { h } from "../../base/dom.js";
import { repeat } from "../../server/live.js";
import { shareButton } from "../../site/share.js";
import { card } from "./card.js";
import { allQuestions, lookAt } from "./studies.js";

const EVERY_MS = 2000;
const SCALES = ["minutes", "evening", "paper"];

export function mount(element) {
  const page = element.querySelector(".paper-page");
  document.title = "Paper · OnlyBN";
  const cards = new Map();
  const note = h("p", { class: "note", role: "status", hidden: true });

  const changed = (one) => {
    write(one);
    clock.wake();
  };

  async function begin() {
    const { questions, studies } = await allQuestions();
    for (const question of questions) cards.set(question.name, card(question, changed));
    for (const study of studies) cards.get(study.name)?.offer(study);
    const list = h("div", { class: "questions" }, [...cards.values()].map((one) => one.element));
    page.querySelector(".paper-head").append(shareButton());
    page.replaceChildren(...page.querySelectorAll(".paper-head"), note, index(questions), list);
    await follow(cards, note);
  }

  const clock = repeat(async () => {
    if (!cards.size) await begin();
    else await refresh([...cards.values()].filter((one) => one.active));
    return [...cards.values()].some((one) => one.active);
  }, EVERY_MS);
}

async function refresh(active) {
  await Promise.all(active.map(async (one) => one.offer(await lookAt(one.active.id))));
  document.dispatchEvent(new CustomEvent("onlybn:server", { detail: await ask("/healthz") }));
}

/** Links to the questions. */
function index(questions) {
  return h(
    "nav",
    { class: "question-index", "aria-label": "Questions" },
    questions.map(({ name, title }) => h("a", { href: `#${name}` }, title)),
  );
}

/** Shows the study or the question that the URL names. */
async function follow(cards, note) {
  const query = new URLSearchParams(location.search);
  let one = cards.get(decodeURIComponent(location.hash.slice(1)));
  const wanted = query.get("study");
  if (one && SCALES.includes(query.get("scale"))) one.choose(query.get("scale"));
  if (wanted) {
    const study = isRunId(wanted) ? await lookAt(wanted).catch(missing) : null;
    if (study) {
      one = cards.get(study.name);
      one?.put(study);
    } else {
      note.textContent = `There is no study ${wanted} on this server. Here are the questions that it may have asked.`;
      note.hidden = false;
    }
  }
  if (one) requestAnimationFrame(() => one.element.scrollIntoView({ block: "start" }));
}

function missing(refusal) {
  if (refusal instanceof Refusal && refusal.status === 404) return null;
  throw refusal;
}

function write(one) {
  const plain = one.scale === "minutes" ? "" : `scale=${one.scale}`;
  rewrite(one.study ? `study=${one.study.id}` : plain, `#${one.name}`);
}
