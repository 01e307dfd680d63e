/**
 * The comparison that an address describes, read without a server. What it may say is data (`grammar` of
 * app/views/comparison.py, whose checks these are).
 */

import { isRunId } from "../catalog.js";
import { unpackedAnswer } from "./files.js";
import { allRuns, passes } from "./runs.js";

const IGNORED = /^(embed|theme|figure|utm_.*|fbclid|gclid|__.*)$/;
const MAX_TEXT = 100;

/** Reads the parameters of an address one by one and collects their problems. */
class Reading {
  problems = [];
  #query;
  #grammar;

  constructor(query, grammar) {
    this.#query = query;
    this.#grammar = grammar;
    for (const key of query.keys())
      if (!grammar.known.includes(key) && !IGNORED.test(key))
        this.problems.push(`This page has no option '${key}'. Allowed: ${grammar.known.join(", ")}.`);
  }

  oneOf(key, usual) {
    const [known, given] = [this.#grammar.choices[key], this.#query.get(key) ?? usual];
    if (known.includes(given)) return given;
    this.problems.push(`${key} must be one of ${known.join(", ")}; got '${given}'.`);
    return usual;
  }

  someOf(key, usual, exactly = null) {
    const [known, given] = [this.#grammar.lists[key], this.listed(key)];
    if (!given.length) return usual;
    const [found, unknown] = [given.filter((word) => known.includes(word)), given.filter((word) => !known.includes(word))];
    if (unknown.length) this.problems.push(`${key} cannot be ${unknown.slice(0, 3).map((word) => `'${word}'`).join(", ")}. Allowed: ${known.join(", ")}.`);
    if (exactly === null) return found.length ? found : usual;
    if (given.length !== exactly) this.problems.push(`${key} needs ${exactly} names, got ${given.length}.`);
    return found.length === exactly ? found : usual;
  }

  number(key, low, high, usual) {
    const given = this.#query.get(key);
    if (given === null) return usual;
    const value = given.trim() === "" ? Number.NaN : Number(given);
    if (value >= low && value <= high) return value;
    this.problems.push(`${key} must be a number in ${low}..${high}, got '${given}'.`);
    return usual;
  }

  ids(key) {
    const given = this.listed(key);
    const wrong = given.filter((word) => !isRunId(word));
    if (wrong.length) this.problems.push(`${key} must be ids of runs; these are not: ${wrong.slice(0, 3).map((word) => `'${word}'`).join(", ")}.`);
    return given.filter(isRunId);
  }

  text(key) {
    return (this.#query.get(key) ?? "").trim().slice(0, MAX_TEXT);
  }

  /** The words between the commas of a parameter, each once. */
  listed(key) {
    return [...new Set((this.#query.get(key) ?? "").split(",").filter(Boolean))];
  }
}

/** The response to GET /api/compare with these parameters. */
export async function compared(query) {
  const grammar = await unpackedAnswer("/api/compare");
  const reading = new Reading(query, grammar);
  const [source, view] = [readSource(reading), readView(reading, grammar)];
  const { runs, total, missing } = await found(source, grammar.most, reading.problems);
  if (view.base && !runs.some(({ id }) => id === view.base)) {
    reading.problems.push(`The baseline ${view.base} is not among these runs.`);
    view.base = null;
  }
  return { source, view, usual: structuredClone(grammar.usual), runs, total, missing, problems: reading.problems };
}

const readSource = (reading) => ({
  runs: reading.ids("runs"),
  without: reading.ids("without"),
  study: reading.ids("study")[0] ?? null,
  text: reading.text("text"),
  state: reading.someOf("state", []),
  policy: reading.listed("policy"),
  architecture: reading.listed("architecture"),
  dataset: reading.listed("dataset"),
  tag: reading.text("tag"),
  room: reading.ids("room")[0] ?? null,
});

function readView(reading, { usual, alone }) {
  const plain = structuredClone(usual);
  let group = reading.someOf("group", plain.group);
  if (group.length > 1 && group.some((key) => alone.includes(key))) {
    reading.problems.push(`group can be ${alone.join(" or ")} alone, or fields; got '${group.join(",")}'.`);
    group = plain.group;
  }
  return {
    question: reading.oneOf("question", plain.question),
    group,
    metric: reading.oneOf("metric", plain.metric),
    x: reading.oneOf("x", plain.x),
    band: reading.oneOf("band", plain.band),
    smooth: reading.number("smooth", 0, 0.99, plain.smooth),
    singles: reading.oneOf("singles", "0") === "1",
    base: reading.ids("base")[0] ?? null,
    scatter: reading.someOf("scatter", plain.scatter, 2),
    log: reading.oneOf("log", plain.log),
    sort: reading.oneOf("sort", plain.sort),
    columns: reading.someOf("columns", plain.columns),
    find: reading.text("find"),
  };
}

/** The runs of a source, how many match, and the ids that are not here. */
async function found(source, most, problems) {
  const all = await allRuns();
  const byId = new Map(all.map((run) => [run.id, run]));
  let [runs, missing] = [[], []];
  if (source.runs.length) {
    const wanted = source.runs.filter((id) => !source.without.includes(id));
    [runs, missing] = [wanted.flatMap((id) => byId.get(id) ?? []), wanted.filter((id) => !byId.has(id))];
  } else if (source.study) {
    const study = await unpackedAnswer(`/api/studies/${source.study}`).catch(() => null);
    if (!study) problems.push(`This frozen site has no study ${source.study}.`);
    runs = [...new Set((study?.members ?? []).map(({ id }) => id))].flatMap((id) => byId.get(id) ?? []);
  } else if (source.room) {
    problems.push("A frozen site has no rooms.");
  } else if (["state", "policy", "architecture", "dataset", "text", "tag"].some((key) => source[key].length)) {
    const words = { text: [source.text].filter(Boolean), tag: [source.tag].filter(Boolean) };
    runs = all.filter((run) => passes(run, { ...source, ...words, question: [] }));
  }
  runs = runs.filter(({ id }) => !source.without.includes(id));
  if (runs.length > most) problems.push(`${runs.length.toLocaleString("en")} runs match; these are ${most}, the most that one page compares.`);
  return { runs: runs.slice(0, most), total: runs.length + missing.length, missing };
}
