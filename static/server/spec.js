/**
 * A run's spec as a short, readable query string and back. The string has only what differs from the defaults, so that
 * a link says what is special about a run. The server validates what is read back.
 */

import { frozen } from "../base/place.js";
import { ask } from "./api.js";
import { isRunId, options, policyOf } from "./catalog.js";

/** The response of /api/preview to the spec of a run. */
export const previewOf = ({ id, spec }) => (frozen ? ask(`/api/runs/${id}/preview`) : ask("/api/preview", spec));

const MAIN = ["architecture", "policy", "dataset", "epochs"];

/** The part that a spec may lack. In a link it says by itself that it is there, since all its fields may be as usual. */
export const ADAPT = "adapt";

/** The keys of a spec's fields in parts: without a prefix for the recipe (`lr`), else with the part (`norm.kind`). */
export const PART_KEYS = Object.keys(options.usual);

/** `norm.kind` -> ["norm", "kind"] */
export const pathOf = (key) => (key.includes(".") ? key.split(".") : ["recipe", key]);

/** The default of a part's field. For the initial γ and β it depends on the policy. */
export const usualOf = (key, policy) =>
  (key === "init.norm" && policyOf(policy ?? "").norm) || options.usual[key];

/** The query string of a form that starts with the spec of `run`, without its name and with `changes`. */
export const cloneQuery = (run, changes = {}) =>
  toQuery({ ...run.spec, seeds: run.own_seeds, name: null, ...changes });

/** A spec as ?architecture=resnet-110&epochs=160&..., empty for the form's defaults. Its seeds are only chosen ones. */
export function toQuery(spec) {
  const query = new URLSearchParams();
  for (const key of MAIN) if ((spec[key] ?? options.defaults[key]) !== options.defaults[key]) query.set(key, spec[key]);
  for (const [key, usual] of Object.entries(options.optional))
    if ((spec[key] ?? null) !== usual && spec[key] !== undefined) query.set(key, spec[key].run ?? spec[key]);
  if (spec[ADAPT]) query.set(ADAPT, "true");
  for (const key of PART_KEYS) {
    const [part, field] = pathOf(key);
    const value = spec[part]?.[field];
    if (value !== undefined && String(value) !== String(usualOf(key, spec.policy))) query.set(key, text(value));
  }
  const written = query.toString().replaceAll("%2C", ",").replaceAll("%2F", "/");
  return written && `?${written}`;
}

const known = new Set([...MAIN, ADAPT, ...Object.keys(options.optional), ...PART_KEYS]);
const OTHERS = /^(embed|theme|__.*|utm_.*)$/; // settings of the view, and what other sites append

/** The values in a query string by key; unknown keys are left out. */
export const fromQuery = (search) =>
  Object.fromEntries([...new URLSearchParams(search)].filter(([key]) => known.has(key)));

/** The keys in a query string that name no field. */
export const strangers = (search) =>
  [...new URLSearchParams(search).keys()].filter((key) => !known.has(key) && !OTHERS.test(key));

/** A typed `start`: a SHA-256 stays as it is; the id or the link of a run means its trained network. */
export function startOf(typed) {
  const word = String(typed ?? "").trim().replace(/^.*[?&]id=/, "");
  return isRunId(word) ? { run: word } : word;
}

/** A value as a person types it: lists with commas, numbers as fractions where a fraction is shorter (1/3). */
export const text = (value) =>
  Array.isArray(value) ? value.map(text).join(",") : typeof value === "number" ? fraction(value) : String(value);

function fraction(value) {
  if (Number.isInteger(value) || String(value).length < 8) return String(value);
  for (let below = 2; below <= 200; below += 1) {
    const above = Math.round(value * below);
    if (above / below === value) return `${above}/${below}`;
  }
  return String(value);
}

/** A typed text as a number, also "1/3" and "12,800"; null if it is empty, the text itself if it is no number. */
export function number(typed) {
  const plain = String(typed ?? "").replace(/[\s,_']/g, "");
  if (plain === "") return null;
  const [above, below = "1"] = plain.split("/");
  const value = above === "" || below === "" ? Number.NaN : Number(above) / Number(below);
  return Number.isFinite(value) ? value : typed;
}

/** "1/3, 2/3" -> [1/3, 2/3] */
export const list = (typed) =>
  String(typed ?? "")
    .split(",")
    .map((part) => number(part.trim()))
    .filter((value) => value !== null);
