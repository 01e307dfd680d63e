/**
 * Runs that the reader has pinned, stored in this browser. They come first on the page of all runs, and the newest pin
 * with the same data set appears behind the curves of other runs.
 */

import { isRunId } from "./catalog.js";
import { get, set } from "../base/storage.js";

const KEY = "onlybn.pins";
const MAX_PINS = 12;

/** The ids of the pinned runs, the newest pin first. */
export function pins() {
  return (get(KEY) ?? "").split(",").filter(isRunId).slice(0, MAX_PINS);
}

export const isPinned = (id) => pins().includes(id);

/** Pins or unpins a run. Returns whether that worked: the browser may refuse to store anything. */
export function pin(id, on) {
  const others = pins().filter((other) => other !== id);
  const wanted = (on ? [id, ...others] : others).slice(0, MAX_PINS);
  set(KEY, wanted.join(",") || null);
  return isPinned(id) === on;
}
