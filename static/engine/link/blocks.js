/**
 * What a link keeps of a layer's tensors, and back: BatchNorm is folded to two numbers a channel (docs/link.md).
 */

import { levelsOf, numbersOf } from "./levels.js";

const EPSILON = 1e-5;
const CONSTANT = EPSILON / 1000; // a channel with a lower variance never varies
// The bits of a kind below 16: what a norm layer has.
export const GAMMA = 1;
export const BETA = 2;
export const RUNNING = 4;

/** What a block holds, by its kind. */
export const QUANTITIES = {
  1: ["gamma"],
  2: ["beta"],
  3: ["gamma", "beta"],
  4: ["deviation", "mean"],
  5: ["factor", "mean"],
  6: ["deviation", "mean", "beta"],
  7: ["factor", "shift"],
  16: ["output"],
  17: ["output-bias"],
  18: ["convolution-bias"],
  19: ["shortcut"],
  20: ["values"],
};

/** The kinds of other tensors than those of norm layers, by name. */
export const OTHERS = Object.fromEntries(Object.entries(QUANTITIES).filter(([kind]) => kind >= 16).map(([kind, [name]]) => [name, Number(kind)]));

/** The levels of each quantity of a block of `kind`; `tensors`: its flat tensors, by group. Throws an Error. */
export function folded(kind, tensors) {
  const known = { ...tensors };
  if (kind < 16 && kind & RUNNING) {
    const { gamma, beta, running_mean: mean, running_var: variance } = tensors;
    if (variance.some((value) => value < 0)) throw new Error("This network has a negative variance.");
    const deviation = Array.from(variance, (value) => Math.sqrt(value + EPSILON));
    Object.assign(known, { mean, deviation: Float32Array.from(deviation) });
    if (gamma) known.factor = Float32Array.from(gamma, (value, c) => (variance[c] < CONSTANT ? 0 : value / deviation[c]));
    if (gamma && beta) {
      const rounded = numbersOf(levelsOf(known.factor));
      known.shift = Float32Array.from(beta, (value, c) => value - mean[c] * rounded[c]);
    }
  }
  return QUANTITIES[kind].map((name) => levelsOf(known[name]));
}

/** The tensors, by group, with which a layer computes what its block says. `numbers`: of each of its quantities. */
export function unfolded(kind, numbers) {
  const found = Object.fromEntries(QUANTITIES[kind].map((name, i) => [name, numbers[i]]));
  if (kind >= 16 || !(kind & RUNNING)) return found;
  const size = numbers[0].length;
  const tensors = { running_mean: found.mean ?? new Float32Array(size) };
  if (kind & GAMMA) {
    tensors.gamma = found.factor;
    tensors.running_var = new Float32Array(size).fill(1 - EPSILON);
  } else {
    tensors.running_var = found.deviation.map((deviation) => Math.max(0, deviation * deviation - EPSILON));
  }
  if (kind & BETA) tensors.beta = found.shift ?? found.beta;
  return tensors;
}
