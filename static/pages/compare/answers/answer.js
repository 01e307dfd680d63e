/**
 * The answer of a comparison as a sentence: what each side reached, the difference in points, and what it means.
 * Draws nothing.
 */

import { datasetTitle, isOver, nameOf } from "../../../server/catalog.js";
import { percent, raised } from "../../../base/format.js";
import { differing } from "../fields.js";

const CLOSE = 2; // points: one run of each cannot tell less apart
const NAMES = { test: "Test accuracy", disabled: "Features switched off" };
const VALUES = { test: ({ top1 }) => top1, disabled: ({ disabled }) => disabled };
const REPLICATES = new Set(["replicate", "seeds.init", "seeds.order", "seeds.augmentation", "seeds.choice"]);

/** Whether `runs` are those of the question, in its order. */
export const isOf = ({ runs: wanted }, runs) => runs.length === wanted.length && wanted.every((spec, at) => has(runs[at].spec, spec));

/** Whether `found` has all values of `wanted`. */
const has = (found, wanted) =>
  wanted && typeof wanted === "object" ? Object.entries(wanted).every(([key, value]) => has(found?.[key], value)) : found === wanted;

/** {said, means} of a question whose runs are over; {said} alone if one of them came to no result; null before. */
export function answerOf({ names, quantity, decides, meaning }, runs) {
  if (!runs.every(isOver)) return null;
  const lost = runs.findIndex(({ state, result }) => state !== "finished" || !result);
  if (lost >= 0) return { said: `There is no answer: the run of ${names[lost]} has no result (${runs[lost].state}).` };
  const values = runs.map(({ result }) => VALUES[quantity](result));
  const [first, second] = decides.map((at) => values[at]);
  if (first === null || second === null) return { said: "There is no answer: the runs did not measure it." };
  const listed = (of) => names.map((name, at) => `${name} ${percent(of(runs[at].result))}`).join(", ");
  const between = names.length > 2 ? ` between ${names[decides[0]]} and ${names[decides[1]]}` : "";
  const extra = quantity === "test" ? "" : ` ${NAMES.test}: ${listed(VALUES.test)}.`;
  const on = quantity === "test" ? ` on ${datasetTitle(runs[0].spec)}` : "";
  return {
    said: `${NAMES[quantity]}${on}: ${listed(VALUES[quantity])}. The difference${between} is ${points(first, second)} (n = 1 each).${extra}`,
    means: Math.abs(100 * (first - second)) < CLOSE ? meaning.same : first > second ? meaning.more : meaning.less,
  };
}

/** The same of two groups that differ in one field and whose runs are all finished; null for any others. */
export function answerOfGroups(groups) {
  const runs = groups.flatMap(({ members }) => members.map(({ run }) => run));
  if (groups.length !== 2 || !runs.every(({ state, result }) => state === "finished" && result)) return null;
  if (differing(runs).filter(({ key }) => !REPLICATES.has(key)).length !== 1) return null;
  const sides = groups.map(({ name, members }) => ({ name, values: members.map(({ run }) => run.result.top1) }));
  const [first, second] = sides.toSorted((a, b) => mean(b.values) - mean(a.values));
  const apart = Math.min(...first.values) > Math.max(...second.values);
  const alone = sides.some(({ values }) => values.length < 2);
  return {
    said: `${NAMES.test}: ${[first, second].map(({ name, values }) => `${name} ${percent(mean(values))} (n = ${values.length})`).join(", ")}. The difference is ${points(mean(first.values), mean(second.values))}.`,
    means: alone ? "With a single run on a side, a small difference may be chance." : apart ? "Every run of the first is above every run of the second." : "The two groups overlap: more replicates would help.",
  };
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** 0.825, 0.270 -> 55.5 points: the difference of the values as they are written, so that a reader can check it. */
const points = (a, b) => `${Math.abs(tenths(a) - tenths(b)).toFixed(1)} points`;
const tenths = (share) => Number((100 * share).toFixed(1));

/** How a question calls its run number `at`; a run of no question has its own name. */
export const sideName = (question, at, run) => (question ? raised(question.names[at]) : nameOf(run));
