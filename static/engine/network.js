/**
 * A network as its values by name, and how it runs in a test: with the running statistics, image by image the same.
 */

import { Draw, NORMS } from "./draw.js";
import { LANES, STATISTICS } from "./kernels.js";
import { filledUp, parametersOf } from "./plan.js";
import { trainsOf } from "./policy.js";

const TOGETHER = 64; // images

/** The values of every parameter of `plan` as the spec's seeds give them, by name, and the running statistics. */
export function drawValues(kernels, plan, spec) {
  const values = new Map();
  const norm = NORMS[spec.init.norm];
  if (!norm) throw new Error(`This page does not know the norm initialiser ${String(spec.init.norm).slice(0, 40)}.`);
  for (const { name, shape, role } of parametersOf(plan)) {
    const count = shape.reduce((a, b) => a * b, 1);
    if (role === "beta") values.set(name, new Float32Array(count).fill(norm.beta));
    else values.set(name, drawn(kernels, spec, norm, plan, { name, shape, role, count }));
  }
  for (const { norm: name, conv } of plan.units) {
    values.set(`${name}.running_mean`, new Float32Array(conv.outputs));
    values.set(`${name}.running_var`, new Float32Array(conv.outputs).fill(1));
  }
  return values;
}

function drawn(kernels, spec, norm, plan, { name, shape, role, count }) {
  const draw = new Draw(kernels, spec.seeds.init, role === "gamma" ? name.replace(/\.weight$/, "") : name);
  const at = kernels.takeFloats(count);
  const bound = 1 / Math.sqrt(plan.features);
  if (role === "gamma") draw.uniform(at, count, norm.low, norm.high);
  else if (role === "output-bias") draw.uniform(at, count, -bound, bound);
  else draw.weight(at, shape, spec.init.weights);
  const values = kernels.floats(at, count).slice();
  kernels.give(at);
  draw.close();
  return values;
}

/** The flat places of the weights of a layer that train under random-k, in rising order. */
export function chosenPlaces(kernels, spec, name, [outputs, ...filter], trained) {
  const fanIn = filter.reduce((a, b) => a * b, 1);
  const count = trained.shape[0];
  const draw = new Draw(kernels, spec.seeds.choice, name.replace(/\.weight$/, ""));
  let places;
  if (trained.spread) places = draw.order(outputs * fanIn).slice(0, count).sort();
  else {
    const ranks = draw.ranks(outputs, fanIn);
    const each = count / outputs;
    places = new Int32Array(count);
    for (let row = 0; row < outputs; row += 1) {
      const first = ranks.slice(row * fanIn, row * fanIn + each).sort();
      first.forEach((place, i) => (places[row * each + i] = row * fanIn + place));
    }
  }
  draw.close();
  return places;
}

/** The scores with which a supermask begins. */
export function firstScores(kernels, spec, name, shape) {
  const count = shape.reduce((a, b) => a * b, 1);
  const bound = 1 / Math.sqrt(count / shape[0]);
  const draw = new Draw(kernels, spec.seeds.choice, name.replace(/\.weight$/, ""));
  const at = kernels.takeFloats(count);
  draw.uniform(at, count, -bound, bound);
  const scores = kernels.floats(at, count).slice();
  kernels.give(at);
  draw.close();
  return scores;
}

/** `weight` where |score| is among the highest share `keep` (of equal ones the last), else 0. */
export function masked(weight, scores, keep) {
  const sizes = scores.map(Math.abs);
  const count = Math.ceil(keep * sizes.length);
  const lowest = sizes.slice().sort()[sizes.length - count];
  let spare = count - sizes.reduce((sum, size) => sum + (size > lowest ? 1 : 0), 0);
  const used = new Float32Array(weight.length);
  for (let i = weight.length - 1; i >= 0; i--)
    if (sizes[i] > lowest || (sizes[i] === lowest && spare-- > 0)) used[i] = weight[i];
  return used;
}

/** Puts what trained, by the names of a capsule, into drawn `values`. */
export function putTrained(kernels, plan, spec, values, trained) {
  for (const [name, { shape, how, ...rest }] of trainsOf(spec.policy, plan)) {
    const own = trained.get(how === "whole" ? name : `${name.replace(/\.weight$/, "")}.${how}`);
    const whole = parametersOf(plan).find((parameter) => parameter.name === name).shape;
    if (how === "whole") values.set(name, own);
    else if (how === "values")
      chosenPlaces(kernels, spec, name, whole, { shape, ...rest }).forEach((place, i) => (values.get(name)[place] = own[i]));
    else values.set(name, masked(values.get(name), own, rest.keep));
  }
  for (const [name, tensor] of trained) if (/\.running_(mean|var)$/.test(name)) values.set(name, tensor);
}

// The parts of all norm layers, behind each other in flat arrays, and their names.
const PARTS = { gamma: "weight", beta: "bias", mean: "running_mean", variance: "running_var" };

/** A network on the kernels. `values`: of its parameters and running statistics, by name. */
export class Network {
  constructor(kernels, plan, values) {
    Object.assign(this, { kernels, plan, values });
    this.weights = plan.units.map((unit) => this.prepare(unit));
    this.stats = kernels.takeFloats(STATISTICS * plan.channels);
    this.flat = {};
    for (const part of Object.keys(PARTS)) this.flat[part] = kernels.takeFloats(plan.channels);
    for (const unit of plan.units)
      for (const part of Object.keys(PARTS)) this.part(part, unit).set(values.get(`${unit.norm}.${PARTS[part]}`));
    this.refresh();
  }

  close() {
    this.kernels.give(...this.weights, this.stats, ...Object.values(this.flat));
  }

  /** The address of a unit's weight, as its convolution reads it; see Kernels.prepare. */
  prepare({ conv }, options = {}) {
    const { kernels } = this;
    const full = filledUp(conv);
    const raw = kernels.put(widened(this.values.get(`${conv.name}.weight`), conv, full));
    const made = kernels.prepare(full, raw, options);
    kernels.give(raw);
    return made;
  }

  /** `gamma`, `beta`, `mean` or `variance` of a unit's norm layer: a view, valid until memory is taken. */
  part(name, { at, conv }) {
    return this.kernels.floats(this.flat[name] + 4 * at, conv.outputs);
  }

  /** The addresses of a unit's norm layer, and of its statistics in `stats`. */
  layer({ at }, stats = this.stats) {
    const { gamma, beta, mean, variance } = this.flat;
    const [stat, shift] = [stats + 4 * STATISTICS * at, 4 * at];
    return { gamma: gamma + shift, beta: beta + shift, mean: mean + shift, variance: variance + shift, stat };
  }

  /** Makes tests use the γ, β and running statistics of now. */
  refresh() {
    for (const unit of this.plan.units) this.kernels.running(unit.conv.outputs, this.layer(unit));
  }

  /** Writes γ, β and the running statistics back into `values`. */
  read() {
    for (const unit of this.plan.units)
      for (const [part, name] of Object.entries(PARTS)) this.values.get(`${unit.norm}.${name}`).set(this.part(part, unit));
  }

  stat(at) {
    return this.stats + 4 * STATISTICS * at;
  }

  /**
   * (N, H, W, C) normalised images -> logits (N, classes). `seen(name, values, channels)` gets the output of every
   * ReLU, (N, H, W, channels), a view that is valid during the call; it is called once a batch of TOGETHER images.
   */
  logits(images, count, seen = null) {
    const { plan } = this;
    const each = images.length / count;
    const logits = new Float32Array(count * plan.classes);
    for (let first = 0; first < count; first += TOGETHER) {
      const batch = Math.min(TOGETHER, count - first);
      const features = this._features(images.subarray(first * each, (first + batch) * each), batch, seen);
      logits.set(this.output(features, batch), first * plan.classes);
    }
    return logits;
  }

  _features(images, count, seen) {
    const { kernels, plan } = this;
    const [stem] = plan.units;
    const input = kernels.put(widenedImages(images, count, plan.input));
    let x = this._applied(stem, this._convolved(0, input, count), count, seen, "stem.relu");
    kernels.give(input);
    for (const { name, units, shortcut } of plan.blocks) {
      const [first, last] = units.map((place) => plan.units[place]);
      const inner = this._applied(first, this._convolved(units[0], x, count), count, seen, `${name}.relu1`);
      const y = this._convolved(units[1], inner, count);
      kernels.give(inner);
      const other = shortcut === null ? x : this._convolved(shortcut, x, count);
      const otherStat = shortcut === null ? 0 : this.stat(plan.units[shortcut].at);
      const out = this._applied(last, y, count, seen, `${name}.relu2`, { other, otherStat });
      kernels.give(x, ...(shortcut === null ? [] : [other]));
      x = out;
    }
    const { size, outputs } = plan.units.at(-1).conv;
    const features = pooled(kernels.floats(x, count * size ** 2 * outputs), count, size ** 2, outputs);
    kernels.give(x);
    return features;
  }

  _convolved(place, input, images) {
    const { conv } = this.plan.units[place];
    const output = this.kernels.takeFloats(images * conv.size ** 2 * conv.outputs);
    this.kernels.forward(filledUp(conv), { images, input, weights: this.weights[place], output });
    return output;
  }

  _applied({ conv, at }, y, count, seen, relu, residual = {}) {
    const pixels = count * conv.size ** 2;
    this.kernels.apply(pixels, conv.outputs, { y, stat: this.stat(at), output: y, ...residual });
    seen?.(relu, this.kernels.floats(y, pixels * conv.outputs), conv.outputs);
    return y;
  }

  /** Features (N, C) -> logits (N, classes). */
  output(features, count) {
    const { classes, features: width } = this.plan;
    const [weight, bias] = [this.values.get("output.weight"), this.values.get("output.bias")];
    const logits = new Float32Array(count * classes);
    for (let image = 0; image < count; image += 1)
      for (let k = 0; k < classes; k += 1) {
        let sum = bias[k];
        for (let c = 0; c < width; c += 1) sum += weight[k * width + c] * features[image * width + c];
        logits[image * classes + k] = sum;
      }
    return logits;
  }

  /** The gradient (N, classes) of the logits -> that of the features, (N, C). */
  outputBack(logits, count) {
    const { classes, features: width } = this.plan;
    const weight = this.values.get("output.weight");
    const gradient = new Float32Array(count * width);
    for (let image = 0; image < count; image += 1)
      for (let c = 0; c < width; c += 1) {
        let sum = 0;
        for (let k = 0; k < classes; k += 1) sum += logits[image * classes + k] * weight[k * width + c];
        gradient[image * width + c] = sum;
      }
    return gradient;
  }
}

/** The mean of each channel over the pixels: (N, pixels, C) -> (N, C). */
export function pooled(values, count, pixels, channels) {
  const features = new Float32Array(count * channels);
  for (let image = 0; image < count; image += 1)
    for (let c = 0; c < channels; c += 1) {
      let sum = 0;
      for (let i = 0; i < pixels; i += 1) sum += values[(image * pixels + i) * channels + c];
      features[image * channels + c] = sum / pixels;
    }
  return features;
}

function widened(weight, conv, full) {
  if (full.inputs === conv.inputs) return weight;
  const squared = conv.kernel ** 2;
  const wide = new Float32Array(conv.outputs * full.inputs * squared);
  for (let out = 0; out < conv.outputs; out += 1) {
    const own = weight.subarray(out * conv.inputs * squared, (out + 1) * conv.inputs * squared);
    wide.set(own, out * full.inputs * squared);
  }
  return wide;
}

export function widenedImages(images, count, { channels, size }) {
  const wide = new Float32Array(count * size ** 2 * LANES);
  for (let pixel = 0; pixel < count * size ** 2; pixel += 1)
    for (let c = 0; c < channels; c += 1) wide[pixel * LANES + c] = images[pixel * channels + c];
  return wide;
}
