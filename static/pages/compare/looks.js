/**
 * What tells groups of runs apart: the fields in which they differ, and with them the look of each group's curve and its
 * shortest name.
 */

import { looksOf } from "../../charts/colors.js";
import { FIELDS, said } from "./fields.js";

/** Sorted by their size rather than by their name. */
const SIZED = { architecture: "total", policy: "trainable" };

/** [{style, short}] of `groups`, lists of runs: `short` is "" where no field tells a group from the others. */
export function looks(groups) {
  if (!groups.length) return [];
  const fields = FIELDS.filter(({ value }) => tells(groups, value)).sort((a, b) => rank(a.key) - rank(b.key));
  const traits = fields.map((field) => trait(groups, field));
  const places = groups.map(([run]) => traits.map(({ keys, value }) => keys.indexOf(JSON.stringify(value(run)))));
  const styles = looksOf(traits, places, groups[0]?.[0].spec.policy);
  const spoken = fields.filter(({ key }) => key !== "replicate" || fields.length === 1);
  return groups.map(([run], at) => ({ style: styles[at], short: spoken.map((field) => said(field, run)).join(" · ") }));
}

/** Whether all runs of a group have the same value, and not all groups the same. */
function tells(groups, value) {
  const found = groups.map((runs) => [...new Set(runs.map((run) => JSON.stringify(value(run))))]);
  return found.every(({ length }) => length === 1) && new Set(found.flat()).size > 1;
}

/** Policies come first, replicates last, so that they keep the hue of what they repeat. */
const rank = (key) => (key === "policy" ? 0 : key === "replicate" ? 2 : 1);

function trait(groups, { key, value }) {
  const runs = new Map(groups.map(([run]) => [JSON.stringify(value(run)), run]));
  const size = SIZED[key] ? ({ counts }) => counts[SIZED[key]] : value;
  const ordered = key === "architecture" || [...runs.values()].every((run) => typeof size(run) === "number");
  const keys = [...runs.keys()];
  if (ordered) keys.sort((a, b) => size(runs.get(a)) - size(runs.get(b)));
  return { key, value, keys, ordered, values: keys.map((text) => value(runs.get(text))) };
}
