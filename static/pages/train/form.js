/**
 * Converts the form's values into a spec and into the page's URL, and back. Gradio's events call these functions.
 *
 * After each change the document dispatches "onlybn:form" with the spec; panels that show it listen there.
 */

import { rewrite } from "../../base/address.js";
import { architectureName, options, parseArchitecture } from "../../server/catalog.js";
import { say, show } from "../../base/dom.js";
import { ADAPT, fromQuery, list, number, PART_KEYS, pathOf, startOf, strangers, text, toQuery, usualOf } from "../../server/spec.js";
import { policyFields, policyName } from "./policy.js";

const OTHER = "other";
const WAIT_MS = 120;

let timer = null;

/** Values of the components by key -> RunSpec for the API. Empty, default and hidden values are left out. */
export function toSpec(values) {
  const family = familyOf(values.family);
  const policy = policyName(values);
  const spec = {
    architecture: architectureName(family, values.number === OTHER ? values.other_number : values.number),
    policy,
    dataset: values.dataset,
    epochs: values.epochs,
  };
  for (const key of Object.keys(options.optional))
    spec[key] = key.endsWith("_examples") || isNumber(options.optional[key]) ? number(values[key]) : trimmed(values[key]);
  spec.start = startOf(values.start);
  const given = Object.entries(spec).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return { ...Object.fromEntries(given), ...(values[ADAPT] ? { [ADAPT]: {} } : {}), ...parts(values, policy) };
}

const isNumber = (value) => typeof value === "number";
const trimmed = (value) => (typeof value === "string" ? value.trim() : value);

/** {recipe: {...}, norm: {...}}, where they have fields: those that differ from the defaults under `policy`. */
function parts(values, policy) {
  const found = {};
  for (const key of PART_KEYS.filter((key) => applies(key, values))) {
    const value = valueOf(key, values[key]);
    if (value === null || value === undefined || String(value) === String(usualOf(key, policy))) continue;
    const [part, field] = pathOf(key);
    (found[part] ??= {})[field] = value;
  }
  return found;
}

/** What the component of a part's field holds, as a spec has it; what is ticked in the order of the choices. */
function valueOf(key, held) {
  if (isTicks(key)) return list(options.choices[key].filter((name) => held.includes(name)));
  if (Array.isArray(options.usual[key])) return list(held);
  return options.usual[key] === null ? number(held) : held;
}

const isTicks = (key) => Array.isArray(options.usual[key]) && key in options.choices;

/** Whether the field `key` is shown, given the values of the fields that it depends on. */
const applies = (key, values) =>
  Object.entries(options.shown[key] ?? {}).every(([other, wanted]) => values[other] === wanted);

/** Handles a change of any component: when typing pauses, updates the URL and announces the spec. */
export function changed(keys, values) {
  clearTimeout(timer);
  const spec = toSpec(zip(keys, values));
  timer = setTimeout(() => {
    rewrite(toQuery(spec));
    announce(spec);
  }, WAIT_MS);
}

/** Handles the page's load: reads the URL. Returns the components' updates in the order of `keys`. */
export function load(keys, values) {
  const query = fromQuery(location.search);
  const updates = fromUrl(query);
  noteUnknown(query, updates);
  const merged = zip(keys, values);
  for (const [key, update] of Object.entries(updates)) merged[key] = update?.__type__ ? update.value : update;
  const spec = toSpec(merged);
  usualNorm = usualOf("init.norm", spec.policy);
  announce(spec);
  return keys.map((key) => updates[key]);
}

function fromUrl({ architecture, policy, ...plain }) {
  const updates = {};
  for (const [key, typed] of Object.entries(plain)) {
    const value = fieldValue(key, typed);
    if (value !== undefined) updates[key] = value;
  }
  if (Object.keys(plain).some((key) => key.startsWith(`${ADAPT}.`))) updates[ADAPT] ??= true;
  const found = architecture && parseArchitecture(architecture);
  if (found) {
    const usual = found.family.featured.includes(found.number);
    updates.family = found.family.name;
    updates.number = numberChoices(found.family, usual ? String(found.number) : OTHER);
    if (!usual) updates.other_number = found.number;
  }
  const fields = policy && policyFields(policy);
  if (fields) {
    Object.assign(updates, fields);
    updates["init.norm"] ??= usualOf("init.norm", policy);
  }
  updates.stages = stageChoices(found?.family ?? options.families[0], fields?.stages);
  return updates;
}

/** The component's value for the `typed` value in a URL; undefined if the component cannot show it. */
function fieldValue(key, typed) {
  const usual = options.usual[key];
  if (["epochs", "replicate"].includes(key) || isNumber(usual)) {
    const value = number(typed);
    return isNumber(value) ? value : undefined;
  }
  if (isTicks(key)) {
    const ticked = list(typed).map(text);
    return ticked.every((name) => options.choices[key].includes(name)) ? ticked : undefined;
  }
  if (key === ADAPT || typeof usual === "boolean") return { true: true, false: false }[typed];
  if (["init.weights", "task"].includes(key) && !(typed in options.titles[key])) return withChoice(key, typed);
  return Array.isArray(usual) ? list(typed).map(text).join(", ") : typed;
}

/** An update of the radio `key` with one more choice, for a value that only links and programs name (`sparse-3`, `permuted-7`). */
function withChoice(key, value) {
  const choices = Object.entries(options.titles[key]).map(([name, title]) => [title, name]);
  return { __type__: "update", choices: [...choices, [value, value]], value };
}

/** Tells the reader which parts of the link this form cannot show, instead of silently showing something else. */
function noteUnknown({ architecture, policy, ...plain }, updates) {
  const lost = [
    [architecture, "family", "architecture"],
    [policy, "group", "policy"],
  ].filter(([asked, key]) => asked && !(key in updates));
  const words = [
    ...lost.map(([asked, , kind]) => `no ${kind} “${asked}”`),
    ...strangers(location.search).map((key) => `no field “${key}”`),
    ...Object.keys(plain)
      .filter((key) => !(key in updates))
      .map((key) => `no ${key} of “${plain[key]}”`),
  ];
  const sentence = `The link asks for something this server does not have: ${words.join(" and ")}. The form shows the default instead.`;
  show(say(document, "link-note", sentence), words.length > 0);
}

/** Handles the choice of another family. Returns updates with its depths or widths, and its stages. */
export function familyChosen(name) {
  const family = familyOf(name);
  return [numberChoices(family, String(family.featured[0])), stageChoices(family)];
}

const familyOf = (name) => options.families.find((family) => family.name === name);

function numberChoices(family, value) {
  const label = family.number[0].toUpperCase() + family.number.slice(1);
  const choices = family.featured.map((number) => [String(number), String(number)]);
  // A link may have a number that the family lacks. The reader must see it, because the server's error names it.
  if (family.open || value === OTHER) choices.push(["Other", OTHER]);
  return { __type__: "update", choices, label, value };
}

/** The stages of `family` and the `chosen` ones, which may come from a link and belong to another family. */
function stageChoices(family, chosen = ["1"]) {
  const stages = [...new Set([...family.stages.map(String), ...chosen])].sort();
  return {
    __type__: "update",
    choices: stages.map((stage) => [stage === "0" ? "Stem" : stage, stage]),
    value: chosen,
  };
}

/** The default initial γ and β under the policy that the form shows. */
let usualNorm = options.usual["init.norm"];

/** Handles the choice of another policy. Returns the initial γ and β: the policy's default, unless the reader chose. */
export function policyChosen(keys, values) {
  const form = zip(keys, values);
  const before = usualNorm;
  usualNorm = usualOf("init.norm", policyName(form));
  return [form["init.norm"] === before ? usualNorm : form["init.norm"]];
}

const zip = (keys, values) => Object.fromEntries(keys.map((key, index) => [key, values[index]]));

/** The spec that the form shows. */
export let current = null;

function announce(spec) {
  current = spec;
  groupChoices();
  document.dispatchEvent(new CustomEvent("onlybn:form", { detail: spec }));
}

/**
 * Gives all radios of a group one name and the group its heading as a label. Gradio gives each radio its own name; with
 * one name the group is a single tab stop and the arrow keys work in it.
 */
function groupChoices() {
  document.querySelectorAll("#form fieldset").forEach((group, index) => {
    for (const radio of group.querySelectorAll('input[type="radio"]')) radio.name = `onlybn-${index}`;
    group.setAttribute("aria-label", group.querySelector('[data-testid="block-info"]')?.textContent.trim() ?? "");
  });
}
