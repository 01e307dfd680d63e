/**
 * The Paper page: a row for each question. `?study=ID` shows a study, `#depth` a question, `?scale=evening#depth` a
 * question at a scale. The URL follows the reader's choices.
 */

import { rewrite } from "../../base/address.js";
import { ask, Refusal } from "../../server/api.js";
import { isRunId } from "../../server/catalog.js";
import { h } from "../../base/dom.js";
import { frozen } from "../../base/place.js";
import { repeat } from "../../server/live.js";
import { shareButton } from "../../site/share.js";
import { card } from "./card.js";
import { allQuestions, lookAt } from "../../server/studies.js";

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
    const { questions, studies, shipped } = await allQuestions();
    for (const question of questions) cards.set(question.name, card(question, changed));
    for (const study of [...shipped, ...studies]) cards.get(study.name)?.take(study);
    page.querySelector(".paper-head").append(shareButton());
    const own = (question) => question.own;
    page.replaceChildren(
      ...page.querySelectorAll(".paper-head"),
      note,
      list(questions.filter((question) => !own(question)), cards),
      h("h2", { class: "paper-beyond" }, "Beyond the paper"),
      list(questions.filter(own), cards),
    );
    await follow(cards, note);
  }

  const clock = repeat(async () => {
    if (!cards.size) await begin();
    else await refresh([...cards.values()].filter((one) => one.active.length));
    return [...cards.values()].some((one) => one.active.length);
  }, EVERY_MS);
}

const list = (questions, cards) =>
  h("div", { class: "questions" }, questions.map(({ name }) => cards.get(name).element));

async function refresh(busy) {
  await Promise.all(
    busy.flatMap((one) => one.active.map(async ({ id }) => one.take(await lookAt(id)))),
  );
  if (!frozen) document.dispatchEvent(new CustomEvent("onlybn:server", { detail: await ask("/healthz") }));
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
      note.textContent = `There is no study ${wanted} on this server. These are the questions it may have been about.`;
      note.hidden = false;
    }
  }
  if (!one) return;
  one.open();
  requestAnimationFrame(() => one.element.scrollIntoView({ block: "start" }));
}

function missing(refusal) {
  if (refusal instanceof Refusal && refusal.status === 404) return null;
  throw refusal;
}

function write(one) {
  const plain = one.chosen ? `scale=${one.scale}` : "";
  const named = one.study && !one.study.shipped;
  rewrite(named ? `study=${one.study.id}` : plain, `#${one.name}`);
}
