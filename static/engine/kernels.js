/**
 * The kernels of core/kernels and the draw, compiled to WebAssembly (core/kernels/browser), called with addresses.
 *
 * All images are (N, H, W, C) float32, C a multiple of LANES.
 */

import { sharedMemory, Team } from "./team.js";

export const LANES = 8; // channels of a vector there
export const STATISTICS = 6; // rows of a layer's statistics
const POINTS = 36; // of a tile of Winograd's form
const SCALE = 2; // rows of the statistics
const SHIFT = 3;

const NONE = 0; // enum relu of norm.h
export const RECOMPUTE = 1;
export const MASK = 2;

const NORMALISED = 1; // enum before of convolution.h
const GRADIENT = 3;
const AFTER_STATISTICS = 1; // enum after
const AFTER_GRADIENTS = 2;

const EPS = 1e-5;
const MOMENTUM = 0.1;

// The fields of the structures in norm.h and convolution.h; each takes four bytes, but for the doubles.
const CONVOLUTION = [
  ...["images", "height", "width", "inputs", "out_height", "out_width", "outputs"],
  ...["input", "weights", "output", "stat", "factors", "other_stat", "saved", "other"],
  ...["applied", "applied_signs", "applied_bytes", "signs", "norm", "gradients"],
  ...["kind", "before", "after", "saved_kind", "relu", "kernel", "stride", "transposed", "seed"],
];
const GRADIENTS = [
  ...["saved", "stat", "second", "signs", "other", "other_stat"],
  ...["beta", "gamma", "factors", "other_gamma", "other_factors", "saved_kind", "relu"],
];
const NORM_BYTES = 48;

// A module whose only function uses f32x4.relaxed_madd.
const FUSED = new Uint8Array([
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0],
  ...[65, 0, 253, 17, 65, 0, 253, 17, 65, 0, 253, 17, 253, 133, 2, 11],
]);

/**
 * The kernels, loaded once. `relaxed`: with fused multiply-add where the browser has it. `threads`: how many they use,
 * where the page may share memory and this is a worker; every number of threads gives the same bits.
 */
export async function openKernels({ relaxed = true, threads = 1 } = {}) {
  const memory = threads > 1 ? sharedMemory() : null;
  const name = ["kernels", relaxed && hasFusedMultiplyAdd() ? "relaxed" : null, memory ? "threads" : null].filter(Boolean).join("-");
  const answer = await fetch(new URL(`wasm/${name}.wasm.gz`, import.meta.url));
  if (!answer.ok) throw new Error(`The kernels could not be loaded (${answer.status}).`);
  const bytes = await new Response(answer.body.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  const module = await WebAssembly.compile(bytes);
  const { exports } = await WebAssembly.instantiate(module, memory ? { env: { memory } } : {});
  exports._initialize();
  const kernels = new Kernels(exports);
  if (memory && !(await kernels.begin(module, memory, threads))) return openKernels({ relaxed });
  return kernels;
}

function hasFusedMultiplyAdd() {
  return WebAssembly.validate(FUSED);
}

class Kernels {
  constructor(exports) {
    Object.assign(this, { exports, team: null });
    this.task = this.take(4 * CONVOLUTION.length);
    this.norm = this.take(NORM_BYTES);
    this.gradients = this.take(4 * GRADIENTS.length);
  }

  /** How many threads compute. */
  get threads() {
    return this.team?.threads ?? 1;
  }

  /** Ends all threads but this one. */
  close() {
    this.team?.close();
  }

  /** Starts the other threads of `threads`. Returns whether all of them are there. */
  async begin(module, memory, threads) {
    this.team = new Team(this, module, memory, threads);
    return this.team.ready;
  }

  take(bytes) {
    const address = this.exports.malloc(Math.max(16, bytes));
    if (!address) throw new Error("This network does not fit into the memory that the browser gives a page.");
    return address;
  }

  takeFloats(count) {
    return this.take(4 * count);
  }

  give(...addresses) {
    for (const address of addresses) this.exports.free(address);
  }

  /** A view; it is valid until memory is taken again. */
  floats(address, count) {
    return new Float32Array(this.exports.memory.buffer, address, count);
  }

  bytes(address, count) {
    return new Uint8Array(this.exports.memory.buffer, address, count);
  }

  integers(address, count) {
    return new Int32Array(this.exports.memory.buffer, address, count);
  }

  /** The address of a copy of `values`. */
  put(values) {
    const address = this.takeFloats(values.length);
    this.floats(address, values.length).set(values);
    return address;
  }

  /**
   * Weights (outputs, inputs, kernel, kernel) at `weight`, as the convolution `conv` reads them on its way there, or
   * `back`. Gives the address of new memory, or writes to `into`.
   */
  prepare(conv, weight, { back = false, into = 0 } = {}) {
    const squared = conv.kernel ** 2;
    let [outputs, inputs] = [conv.outputs, conv.inputs];
    let strides = [inputs * squared, squared, conv.kernel, 1];
    if (back) [outputs, inputs, strides] = [inputs, outputs, [strides[1], strides[0], strides[2], strides[3]]];
    const winograd = byWinograd(conv);
    const to = into || this.takeFloats((winograd ? POINTS : squared) * outputs * inputs);
    if (winograd && back) {
      weight += 4 * 2 * (strides[2] + strides[3]); // the kernel is rotated by 180 degrees
      strides = [strides[0], strides[1], -strides[2], -strides[3]];
    }
    const at = this.take(16);
    this.integers(at, 4).set(strides);
    if (winograd) this.exports.onlybn_winograd_weights(weight, outputs, inputs, at, to);
    else this.exports.onlybn_direct_weights(weight, outputs, inputs, at, conv.kernel, to);
    this.give(at);
    return to;
  }

  /**
   * `conv` of `images` at `input`, into `output`. `stat`: the input is relu(input * scale + shift) by it. `norm`: {
   * gamma, beta, mean, variance, stat }, addresses; gets the statistics of the output.
   */
  forward(conv, { images, input, weights, output, stat = 0, norm = null }) {
    const task = { ...sizes(conv, images), input, weights, output, stat, before: stat ? NORMALISED : 0 };
    if (norm) {
      const view = new DataView(this.exports.memory.buffer, this.norm, NORM_BYTES);
      const fields = [norm.gamma, norm.beta, 0, norm.mean, norm.variance];
      fields.forEach((field, i) => view.setUint32(4 * i, field, true));
      view.setFloat64(24, EPS, true);
      view.setFloat64(32, MOMENTUM, true);
      view.setInt32(40, 0, true);
      view.setUint32(44, norm.stat, true);
      Object.assign(task, { after: AFTER_STATISTICS, norm: this.norm });
    }
    this._run(conv, task);
  }

  /**
   * Back through `conv`: from the gradient at `input` of its norm layer's output, behind the ReLU, to the gradient of
   * its input. `of`: { saved, stat, factors } of that norm layer. `below`: the layer that gets the gradient, for
   * `sums`; then the output is behind that layer's ReLU, and its sums are found.
   */
  backward(conv, { images, input, weights, output, of, below = null }) {
    const { height, width, out_height, out_width } = sizes(conv, images);
    const task = { images, height: out_height, width: out_width, inputs: conv.outputs };
    Object.assign(task, { out_height: height, out_width: width, outputs: conv.inputs });
    Object.assign(task, { input, weights, output, before: GRADIENT, relu: NONE });
    Object.assign(task, { saved: of.saved, stat: of.stat, factors: of.factors });
    Object.assign(task, { kernel: conv.kernel, stride: conv.stride, transposed: conv.stride > 1 ? 1 : 0 });
    if (below) Object.assign(task, { after: AFTER_GRADIENTS, gradients: this._gradients(below) });
    this._run(conv, task);
  }

  _run(conv, task) {
    this._write(this.task, CONVOLUTION, task);
    if (byWinograd(conv)) this.exports.onlybn_winograd(this.task);
    else this.exports.onlybn_direct(this.task);
  }

  _write(address, names, fields) {
    this.integers(address, names.length).set(names.map((name) => fields[name] ?? 0));
  }

  _gradients(below) {
    this._write(this.gradients, GRADIENTS, below);
    return this.gradients;
  }

  /** relu(y * scale + shift [+ other, scaled by `otherStat`]) into `output`; keeps the signs of the ReLU at `signs`. */
  apply(pixels, channels, { y, stat, output, other = 0, otherStat = 0, relu = true, signs = 0 }) {
    this.exports.onlybn_apply(y, pixels, channels, stat, other, otherStat, relu ? 1 : 0, output, signs, 0, 0);
  }

  /**
   * The sums of the gradient at `input` for the layer `below`: its fields are those of `struct gradients`. Writes the
   * gradient, behind the layer's ReLU, over `input`.
   */
  sums(pixels, channels, input, below) {
    this.exports.onlybn_sums(0, pixels, channels, this._gradients(below), input, input);
  }

  /** From the gradient at `input` of a norm layer's output, behind its ReLU, to that of its convolution's output. */
  inputGradient(pixels, channels, { saved, stat, factors, input, output }) {
    this.exports.onlybn_input_gradient(0, 0, saved, pixels, channels, stat, factors, input, NONE, 0, output);
  }

  /** The gradient of the weight of `conv`, (outputs, inputs, kernel, kernel), into `output`. */
  weightGradient(conv, { images, input, gradient, output }) {
    const { from, size, inputs, outputs, kernel, stride } = conv;
    const sides = [from, from, inputs, size, size, outputs, kernel, stride];
    this.exports.onlybn_weight_gradient(input, gradient, images, ...sides, output);
  }

  /** Statistics at `stat` that normalise by the running ones: what the layer does in a test. */
  running(channels, { gamma, beta, mean, variance, stat }) {
    const rows = this.floats(stat, STATISTICS * channels);
    const [g, b, m, v] = [gamma, beta, mean, variance].map((address) => this.floats(address, channels));
    for (let c = 0; c < channels; c += 1) {
      const scale = Math.fround(g[c] / Math.sqrt(v[c] + EPS));
      rows[SCALE * channels + c] = scale;
      rows[SHIFT * channels + c] = b[c] - m[c] * scale;
    }
  }
}

function byWinograd(conv) {
  return conv.kernel === 3 && conv.stride === 1;
}

function sizes(conv, images) {
  return {
    ...{ images, height: conv.from, width: conv.from, inputs: conv.inputs },
    ...{ out_height: conv.size, out_width: conv.size, outputs: conv.outputs },
    ...{ kernel: conv.kernel, stride: conv.stride },
  };
}
