/**
 * What a policy lets train, by the name of the policy: core/catalog/policies.py and policy_rules.py.
 */

import { parametersOf } from "./plan.js";

const AFFINE = ["gamma", "beta"];
const OUTPUT = ["output", "output-bias"];
const CONVOLUTIONS = ["convolution", "shortcut"];
const WEIGHTS = [...CONVOLUTIONS, "output"];
const PARTS = { batchnorm: AFFINE, output: OUTPUT, shortcut: ["shortcut"] };
const NAMED = {
  all: [...WEIGHTS, ...AFFINE, "output-bias"],
  "all-but-batchnorm": [...WEIGHTS, "output-bias"],
  gamma: ["gamma"],
  beta: ["beta"],
  bias: ["beta", "output-bias"],
  none: [],
  ...PARTS,
};

/**
 * By the name of each parameter of `plan` that trains: the `shape` of the numbers that train, and `how`: the "whole"
 * tensor, some "values" of it, or "scores" for each weight, of which the highest share `keep` are used.
 */
export function trainsOf(policy, plan) {
  const { roles, stages, perChannel, spread, keep } = selectionOf(policy);
  const trains = new Map();
  for (const { name, shape, role, stage } of parametersOf(plan)) {
    const [outputs, ...filter] = shape;
    const fanIn = filter.reduce((a, b) => a * b, 1);
    if (roles.includes(role) && (!stages || stages.includes(stage))) trains.set(name, { shape, how: "whole" });
    else if (perChannel && CONVOLUTIONS.includes(role))
      trains.set(name, { shape: [Math.min(perChannel, fanIn) * outputs], how: "values", spread });
    else if (keep && WEIGHTS.includes(role)) trains.set(name, { shape, how: "scores", keep });
  }
  return trains;
}

function selectionOf(policy) {
  if (Object.hasOwn(NAMED, policy)) return { roles: NAMED[policy] };
  const random = /^random-([1-9]\d{0,2})(-layer)?$/.exec(policy);
  if (random) return { roles: [], perChannel: Number(random[1]), spread: Boolean(random[2]) };
  const staged = /^batchnorm-stages?((?:-\d)+)$/.exec(policy);
  if (staged) return { roles: AFFINE, stages: staged[1].slice(1).split("-").map(Number) };
  const [first, ...rest] = policy.split("+");
  const mask = /^supermask(?:-(\d{1,2}))?$/.exec(first);
  const parts = mask ? rest : [first, ...rest];
  if (parts.every((part) => Object.hasOwn(PARTS, part))) {
    const roles = parts.flatMap((part) => PARTS[part]);
    if (!mask) return { roles };
    const share = Number(mask[1] ?? 50) / 100;
    return { roles, keep: parts.length ? justBelow(share) : share };
  }
  throw new Error(`This page does not know the policy ${policy.slice(0, 60)}.`);
}

/** The next number of 64 bits towards 0. */
function justBelow(value) {
  const bits = new BigUint64Array(new Float64Array([value]).buffer);
  bits[0] -= 1n;
  return new Float64Array(bits.buffer)[0];
}
