/**
 * Puts a trained network into a link, as core/run/link does: the same bytes, without a server. No page.
 */

import { planFor } from "../capsule.js";
import { parametersOf } from "../plan.js";
import { trainsOf } from "../policy.js";
import { seedsOf } from "../seeds.js";
import { BETA, folded, GAMMA, OTHERS, QUANTITIES, RUNNING } from "./blocks.js";
import { packed } from "./levels.js";
import { crc32, joined, LARGEST } from "./text.js";
import { writtenWords } from "./words.js";

const VERSION = 1;

/**
 * The bytes of the link of a capsule's network, as readCapsule() gives it. Throws an Error that says why there is none.
 */
export function linkOfCapsule(kernels, { spec: given, result, tensors }) {
  const derived = seedsOf(kernels, given.replicate);
  const spec = { ...given, seeds: { ...derived, ...given.seeds } };
  const plan = planFor(spec);
  const why = obstacle(spec, plan);
  if (why) throw new Error(`No link can carry this network: ${why}. Share the capsule instead.`);
  return linkOf({ spec, plan, derived, tensors, top1: result.top1 });
}

/** Why no link can carry the network of a complete `spec` and its `plan`; "" if one can. */
function obstacle(spec, plan) {
  const roles = new Map(parametersOf(plan).map(({ name, role }) => [name, role]));
  const heavy = [...trainsOf(spec.policy, plan)].filter(([name, { how }]) => how === "scores" || (how === "whole" && roles.get(name) === "convolution"));
  if (heavy.length) {
    const count = heavy.reduce((sum, [, { shape }]) => sum + shape.reduce((a, b) => a * b, 1), 0);
    const what = heavy.some(([, { how }]) => how === "scores") ? "scores of its weights" : "weights";
    return `its ${count.toLocaleString("en")} ${what} trained too, which no seed gives back`;
  }
  const size = placesOf(spec, plan).reduce((sum, { kind, size }) => sum + (4 + size) * QUANTITIES[kind].length, 100);
  return size > LARGEST ? `a link would need ${Math.round(size / 1000)} kB, and 100 kB is the most` : "";
}

/** `derived`: the seeds that follow from the replicate; `tensors`: by group; `top1`: the test accuracy to tell. */
function linkOf({ spec, plan, derived, tensors, top1 }) {
  const places = placesOf(spec, plan);
  const used = {};
  const take = (group, size) => {
    const from = used[group] ?? 0;
    used[group] = from + size;
    return tensors[group].subarray(from, from + size);
  };
  const blocks = places.map(({ kind, size, groups }) => folded(kind, Object.fromEntries(groups.map((group) => [group, take(group, size)]))));
  const line = new TextEncoder().encode(writtenWords(spec, derived, top1));
  const body = joined([Uint8Array.of(VERSION), number(line.length), line, shapes(places), ...blocks.flat().map(packed)]);
  const sum = new Uint8Array(4);
  new DataView(sum.buffer).setUint32(0, crc32(body), true);
  return joined([body, sum]);
}

/** The blocks of a network in order: norm layers, then all other tensors; each with the groups of its tensors. */
function placesOf(spec, plan) {
  const trains = trainsOf(spec.policy, plan);
  const norms = plan.units.map(({ norm, conv }) => {
    const [gamma, beta] = ["weight", "bias"].map((part) => trains.has(`${norm}.${part}`));
    const groups = [gamma && "gamma", beta && "beta", "running_mean", "running_var"].filter(Boolean);
    return { kind: GAMMA * gamma + BETA * beta + RUNNING, size: conv.outputs, groups };
  });
  const others = parametersOf(plan).flatMap(({ name, role }) => {
    const { how, shape } = trains.get(name) ?? {};
    if (!how || role === "gamma" || role === "beta") return [];
    const group = how === "whole" ? role : how;
    return [{ kind: OTHERS[group], size: shape.reduce((a, b) => a * b, 1), groups: [group] }];
  });
  return [...norms, ...others];
}

/** How many runs of equal blocks there are, and of each its kind, its size and its length. */
function shapes(places) {
  const runs = [];
  for (const { kind, size } of places) {
    const last = runs.at(-1);
    if (last && last[0] === kind && last[1] === size) last[2] += 1;
    else runs.push([kind, size, 1]);
  }
  return joined([number(runs.length), ...runs.flat().map(number)]);
}

/** LEB128. */
function number(value) {
  const bytes = [];
  do bytes.push((value & 127) | (value > 127 ? 128 : 0));
  while ((value >>>= 7));
  return Uint8Array.from(bytes);
}
