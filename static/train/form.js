/**
 * The form's values as a spec and as the page's URL, and back. Gradio's events call these functions.
 *
 * A change is announced on the document as "onlybn:form" with the spec; who shows it listens there.
 */

import { architectureName, options, parseArchitecture, policyOf } from "../catalog.js";
import { say, show } from "../dom.js";
import { fromQuery, toQuery } from "../spec.js";

const OTHER = "other";
const RANDOM = "random";
const WAIT_MS = 120;

let timer = null;

/** Values of the components by key -> RunSpec for the API. What the form leaves empty is left out. */
export function toSpec(values) {
  const family = options.families.find(({ name }) => name === values.family);
  const number = values.number === OTHER ? values.other_number : values.number;
  const k = values.per_channel === OTHER ? values.other_per_channel : values.per_channel;
  const recipe = Object.entries(options.recipe)
    .map(([key, usual]) => [key, Array.isArray(usual) ? list(values[key]) : values[key]])
    .filter(([key, value]) => value !== null && String(value) !== String(options.recipe[key]));
  const spec = {
    architecture: architectureName(family, number),
    policy: values.policy === RANDOM ? `random-${k}` : values.policy,
    dataset: values.dataset,
    epochs: values.epochs,
    replicate: values.replicate,
    train_examples: quantity(values.train_examples),
    test_examples: quantity(values.test_examples),
    name: values.name?.trim() || null,
  };
  const given = Object.entries(spec).filter(([, value]) => value !== null && value !== "");
  return { ...Object.fromEntries(given), ...(recipe.length ? { recipe: Object.fromEntries(recipe) } : {}) };
}

/** "12,800" -> 12800; what is no number goes to the server as it is, which says what is wrong with it. */
function quantity(text) {
  const plain = String(text ?? "").replace(/[\s,_']/g, "");
  if (plain === "") return null;
  return Number.isNaN(Number(plain)) ? text : Number(plain);
}

function list(text) {
  return String(text ?? "")
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean)
    .map((part) => (Number.isNaN(Number(part)) ? part : Number(part)));
}

/** Any component changed: shows the state in the URL and announces the spec, once the typing rests. */
export function changed(keys, values) {
  clearTimeout(timer);
  const spec = toSpec(zip(keys, values));
  timer = setTimeout(() => {
    history.replaceState(history.state, "", location.pathname + toQuery(spec));
    announce(spec);
  }, WAIT_MS);
}

/** The page has loaded: sets the components to what the URL says; answers their updates in the order of `keys`. */
export function load(keys, values) {
  const query = fromQuery(location.search);
  const updates = fromUrl(query);
  noteUnknown(query, updates);
  const merged = zip(keys, values);
  for (const [key, update] of Object.entries(updates)) merged[key] = update?.__type__ ? update.value : update;
  announce(toSpec(merged));
  return keys.map((key) => updates[key]);
}

function fromUrl({ architecture, policy, ...plain }) {
  const updates = {};
  for (const [key, text] of Object.entries(plain))
    updates[key] =
      ["epochs", "replicate"].includes(key) || typeof options.recipe[key] === "number" ? Number(text) : text;
  const found = architecture && parseArchitecture(architecture);
  if (found) {
    const usual = found.family.featured.includes(found.number);
    updates.family = found.family.name;
    updates.number = numberChoices(found.family, usual ? String(found.number) : OTHER);
    if (!usual) updates.other_number = found.number;
  }
  const k = policy ? policyOf(policy).per_channel : 0;
  if (k) {
    const usual = options.policies.some(({ per_channel }) => per_channel === k);
    Object.assign(
      updates,
      { policy: RANDOM, per_channel: usual ? String(k) : OTHER },
      usual ? {} : { other_per_channel: k },
    );
  } else if (options.policies.some(({ name }) => name === policy)) updates.policy = policy;
  return updates;
}

/** Says which part of the link this form cannot show, rather than silently showing something else. */
function noteUnknown({ architecture, policy }, updates) {
  const lost = [
    [architecture, "family", "architecture"],
    [policy, "policy", "policy"],
  ].filter(([asked, key]) => asked && !(key in updates));
  const words = lost.map(([asked, , kind]) => `no ${kind} “${asked}”`).join(" and ");
  show(
    say(
      document,
      "link-note",
      `The link asks for what this server does not have: ${words}. The form shows its default instead.`,
    ),
    lost.length > 0,
  );
}

/** Another family was chosen: its own depths or widths; answers the update of the number's component. */
export function familyChosen(name) {
  const family = options.families.find((one) => one.name === name);
  return [numberChoices(family, String(family.featured[0]))];
}

function numberChoices(family, value) {
  const label = family.number[0].toUpperCase() + family.number.slice(1);
  const choices = [...family.featured.map(String), OTHER].map((number) => [
    number === OTHER ? "Other" : number,
    number,
  ]);
  return { __type__: "update", choices, label, value };
}

const zip = (keys, values) => Object.fromEntries(keys.map((key, index) => [key, values[index]]));

/** The spec that the form shows now. */
export let current = null;

function announce(spec) {
  current = spec;
  groupRadios();
  document.dispatchEvent(new CustomEvent("onlybn:form", { detail: spec }));
}

/** Gradio names each radio differently; with one name a group is one tab stop and the arrow keys move in it. */
function groupRadios() {
  document.querySelectorAll("#form fieldset").forEach((group, index) => {
    for (const radio of group.querySelectorAll('input[type="radio"]')) radio.name = `onlybn-${index}`;
  });
}
