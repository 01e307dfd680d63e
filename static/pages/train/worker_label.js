/**
 * The field for the label that a worker must have to take the run. It is no part of the spec, nor of the page's link.
 */

import { h, say, show, slot } from "../../base/dom.js";
import { raised, sentence } from "../../base/format.js";
import { ask, Refusal } from "../../server/api.js";

const HINT = "Only a worker with this label takes the run, or the runs of your own question.";
const NO_WORKER = "No worker here has one now; the run waits for one.";

let typed = ""; // the field is not in the document while it is folded away
let place = null;

/** Fills the field, and offers the labels of the workers that are here. */
export async function mount(element) {
  place = element;
  const field = element.querySelector("input");
  field.value = typed;
  field.addEventListener("input", () => {
    typed = field.value;
    refuse("");
  });
  const here = await ask("/api/workers").catch(() => null); // without it the hint stays general
  if (!here) return;
  const { workers } = here;
  const known = [...new Set(workers.flatMap(({ labels }) => labels))].sort();
  slot(element, "known").replaceChildren(...known.map((label) => h("option", { value: label })));
  say(element, "hint", `${HINT} ${known.length ? `Workers here have: ${known.join(", ")}.` : NO_WORKER}`);
}

/** What the field says; "" if nothing. */
export const workerLabel = () => typed.trim();

/** Does `launch()`; if the server refuses the label, the reason also stands at the field. Throws Refusal. */
export async function withLabel(launch) {
  refuse("");
  try {
    return await launch();
  } catch (refusal) {
    const wrong = refusal.problems?.find(({ field }) => field === "label");
    if (!wrong) throw refusal;
    const words = sentence(raised(wrong.sentence.replace(/^label: /, "")));
    refuse(words);
    throw new Refusal(`Worker label: ${words}`, refusal.status);
  }
}

function refuse(words) {
  if (!place) return;
  show(say(place, "wrong", words), Boolean(words));
  place.querySelector("input").setAttribute("aria-invalid", String(Boolean(words)));
}
