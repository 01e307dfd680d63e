/**
 * A run's spec as a short, readable query string and back. Only what differs from the defaults is written, so that a
 * link says what is special about a run; the server validates whatever comes back.
 */

import { options } from "./catalog.js";

const MAIN = ["architecture", "policy", "dataset", "epochs"];
const REST = { replicate: 0, train_examples: null, test_examples: null, name: null };

/** ?architecture=resnet-110&policy=batchnorm&... of a spec. */
export function toQuery(spec) {
  const query = new URLSearchParams();
  for (const key of MAIN) if (spec[key] !== undefined && spec[key] !== null) query.set(key, spec[key]);
  for (const [key, usual] of Object.entries(REST))
    if ((spec[key] ?? null) !== usual && spec[key] !== undefined) query.set(key, spec[key]);
  for (const [key, usual] of Object.entries(options.recipe)) {
    const value = spec.recipe?.[key];
    if (value !== undefined && String(value) !== String(usual)) query.set(key, value);
  }
  return `?${query.toString().replaceAll("%2C", ",")}`;
}

/** The flat values that a query string names; unknown keys are left out. */
export function fromQuery(search) {
  const known = new Set([...MAIN, ...Object.keys(REST), ...Object.keys(options.recipe)]);
  return Object.fromEntries([...new URLSearchParams(search)].filter(([key]) => known.has(key)));
}
