/**
 * Runs that the reader has pinned, kept in this browser: they come first on the page of runs, and the newest pin of the
 * same data set lies behind the curves of other runs.
 */

import { isRunId } from "./catalog.js";
import { get, set } from "../base/storage.js";

const KEY = "onlybn.pins";
const MAX_PINS = 12;

/** Ids, the newest pin first. */
export function pins() {
  return (get(KEY) ?? "").split(",").filter(isRunId).slice(0, MAX_PINS);
}

export const isPinned = (id) => pins().includes(id);

/** Pins or unpins; answers whether it is so now: the browser may keep nothing. */
export function pin(id, on) {
  const others = pins().filter((other) => other !== id);
  const wanted = (on ? [id, ...others] : others).slice(0, MAX_PINS);
  set(KEY, wanted.join(",") || null);
  return isPinned(id) === on;
}
