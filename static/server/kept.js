/**
 * How long this server keeps runs, in words.
 */

import { whole } from "../base/format.js";
import { frozen } from "../base/place.js";
import { ask } from "./api.js";
import { isOver } from "./catalog.js";

const DAY_S = 86_400;

let rules = null;

/** Promise of the response of /api/kept, which is asked for once; null if the server did not say, and
 * in a frozen site, which keeps all it has. */
export const keptRules = () => (rules ??= frozen ? Promise.resolve(null) : ask("/api/kept").catch(() => null));

const days = (number) => `${whole(number)} ${number === 1 ? "day" : "days"}`;

/** `Runs are kept for 14 days, failed and cancelled ones for 2 days.`; "" where nothing is deleted. */
export function keptWords(rules) {
  if (!rules) return "";
  const { keep_days: all, keep_failed_days: failed, budget_mb: budget } = rules;
  const said = [];
  if (all && failed && all !== failed) said.push(`Runs are kept for ${days(all)}, failed and cancelled ones for ${days(failed)}.`);
  else if (all) said.push(failed ? `Runs are kept for ${days(all)}.` : `Finished runs are kept for ${days(all)}.`);
  else if (failed) said.push(`Failed and cancelled runs are kept for ${days(failed)}.`);
  if (budget) said.push(`When the disk is full, the oldest lose their curves and trained networks${said.length ? " earlier" : ""}.`);
  return said.length ? `${said.join(" ")} Runs pinned by the operator are never deleted.` : "";
}

/** When `run` will be deleted, in Unix seconds; null: never, or not known yet. */
export function keptUntil(run, rules) {
  if (!rules || !isOver(run) || run.pinned || run.example || !run.finished_at) return null;
  const most = run.state === "finished" ? rules.keep_days : rules.keep_failed_days;
  return most ? run.finished_at + most * DAY_S : null;
}
