/**
 * The list of all runs of a frozen site: filters, order and pages, as GET /api/runs has them (app/api/runs.py).
 */

import { unpackedAnswer } from "./files.js";

/** Where the value of a run is by which a list sorts. */
const SORTS = {
  created_at: (run) => run.created_at,
  started_at: (run) => run.started_at,
  finished_at: (run) => run.finished_at,
  name: (run) => run.name,
  state: (run) => run.state,
  policy: ({ spec }) => spec.policy,
  architecture: ({ spec }) => spec.architecture,
  dataset: ({ spec }) => spec.dataset,
  epochs: ({ spec }) => spec.epochs,
  replicate: ({ spec }) => spec.replicate,
  top1: (run) => run.top1,
};

/** All runs, the newest first. */
export const allRuns = async () => (await unpackedAnswer("/api/runs")).runs;

/** Whether a run passes the filters; each is a list of values, of which one is enough, or empty. */
export function passes(run, { text = [], state = [], policy = [], architecture = [], dataset = [], tag = [], question = [] }) {
  const among = (wanted, value) => !wanted.length || wanted.includes(value);
  const found = (word) => [run.name ?? "", run.id, run.tags.join(" ")].some((there) => there.toLowerCase().includes(word.toLowerCase()));
  return (
    text.every(found) &&
    among(state, run.state) &&
    among(policy, run.spec.policy) &&
    among(architecture, run.spec.architecture) &&
    among(dataset, run.spec.dataset) &&
    tag.every((word) => run.tags.includes(word)) &&
    among(question, run.question)
  );
}

/** The response to GET /api/runs with these parameters. */
export async function listed(query) {
  const keys = ["text", "state", "policy", "architecture", "dataset", "tag", "question"];
  const filters = Object.fromEntries(keys.map((key) => [key, query.getAll(key).filter(Boolean)]));
  const matching = (await allRuns()).filter((run) => passes(run, filters));
  const runs = grouped(sorted(matching, SORTS[query.get("sort")] ?? SORTS.created_at, query.get("order") === "asc"), query.get("group"));
  const offset = Number(query.get("offset") ?? 0);
  return { runs: runs.slice(offset, offset + Number(query.get("limit") ?? 50)), unreadable: [], total: runs.length };
}

/** Runs without the value come last; at equal values the newest comes first. */
function sorted(runs, value, ascending) {
  const turn = ascending ? 1 : -1;
  const known = (run) => (value(run) ?? null) !== null;
  const compare = (a, b) => (value(a) < value(b) ? -turn : value(a) > value(b) ? turn : 0);
  return [...runs.filter(known).sort(compare), ...runs.filter((run) => !known(run))];
}

/** `runs` with those of one study or question together, the ones without any last. */
function grouped(runs, by) {
  if (by !== "study" && by !== "question") return runs;
  const groups = [...new Set(runs.map((run) => run[by]))].sort((a, b) => (a === null) - (b === null));
  return groups.flatMap((group) => runs.filter((run) => run[by] === group));
}
