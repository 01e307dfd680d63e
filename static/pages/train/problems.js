/**
 * What is wrong with the form: each sentence stands under its field, and all of them stand in the preview, from where a
 * click leads to the field.
 */

import { h } from "../../base/dom.js";
import { raised, sentence as ended } from "../../base/format.js";
import { ADAPT, PART_KEYS, pathOf } from "../../server/spec.js";

/** Where the parts of a spec stand that are no single field of the form; the first place that is visible is taken. */
const PLACES = {
  architecture: ["#field-other-number", "#field-family"],
  policy: ["#policy-parts"],
};
const KEYS = new Map([[ADAPT, ADAPT], ...PART_KEYS.map((key) => [pathOf(key).join("."), key])]);

/** Unfolds the part of the form that has a wrong field, which is not in the document while it is folded. */
export async function unfold(problems) {
  const folded = problems.some(({ field }) => field && !placeOf(field) && KEYS.has(plain(field)));
  const button = document.querySelector("#advanced > button");
  if (!folded || !button || button.classList.contains("open")) return;
  button.click();
  for (let frames = 0; frames < 30 && !problems.every(({ field }) => !KEYS.has(plain(field)) || placeOf(field)); frames += 1)
    await new Promise(requestAnimationFrame);
}

const plain = (field) => field.replace(/\.\d+$/, ""); // the third number of a list belongs to the list's field

/** Marks the fields of `problems` ({field, sentence}) and no others. Returns a paragraph for each problem. */
export function mark(problems) {
  document.querySelectorAll("#form .field-problem").forEach((element) => element.remove());
  document.querySelectorAll("#form [aria-invalid]").forEach(release);
  return problems.map(({ field, sentence }) => {
    const place = placeOf(field);
    if (!place) return h("p", {}, ended(raised(sentence)));
    const words = named(place, field, sentence);
    hold(place, words);
    return h("p", {}, h("button", { type: "button", class: "text-button", onclick: () => lead(place) }, words));
  });
}

/** The form's element for a dotted field of a spec; null if it has none. */
function placeOf(field) {
  if (!field) return null;
  const path = plain(field);
  const key = KEYS.get(path) ?? path;
  const usual = `#field-${key.replaceAll(".", "-").replaceAll("_", "-")}`;
  const found = (PLACES[path] ?? [usual]).map((selector) => document.querySelector(selector));
  return found.find((place) => place?.checkVisibility()) ?? found.find(Boolean) ?? null;
}

/** The sentence with the label that the reader sees in place of the field's name in a spec. */
function named(place, field, sentence) {
  const label = place.querySelector('[data-testid="block-info"]')?.textContent.trim();
  const last = field.split(".").at(-1);
  const said = sentence.replace(/^[a-z_.0-9]+: /, "");
  const rest = [field, last].map((name) => said.startsWith(`${name} `) && said.slice(name.length + 1)).find(Boolean);
  return ended(rest && label ? `${label} ${rest}` : raised(said));
}

const inputs = (place) => [...place.querySelectorAll("input, textarea")];

function hold(place, words) {
  const id = `${place.id}-problem`;
  place.append(h("p", { class: "field-problem", id }, words));
  for (const input of inputs(place)) {
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", id);
  }
}

function release(input) {
  input.removeAttribute("aria-invalid");
  input.removeAttribute("aria-describedby");
}

/** Moves the reader to the field, which may be folded away. */
function lead(place) {
  const go = () => {
    const first = inputs(place).find((input) => input.type !== "radio" || input.checked);
    (first ?? inputs(place)[0])?.focus();
    place.scrollIntoView({ block: "center" });
  };
  if (place.checkVisibility()) return go();
  document.querySelector("#advanced > button")?.click();
  requestAnimationFrame(go);
}
