/**
 * Version 2 of the random draw (docs/draw.md), by the kernels in WebAssembly: the same bits as on the server.
 */

const TEXT = new TextEncoder();
const SPARSE = /^sparse-([1-9][0-9]{0,3})$/;

export const NORMS = {
  uniform: { low: 0, high: 1, beta: 0 },
  ones: { low: 1, high: 1, beta: 0 },
  "ones-shifted": { low: 1, high: 1, beta: 1 },
  "uniform-signed": { low: -1, high: 1, beta: 0 },
};

/**
 * One use of a seed: `new Draw(kernels, 17, "stem.conv.weight")`. Every call gives the next numbers of its stream. Close
 * it at the end.
 */
export class Draw {
  constructor(kernels, seed, ...parts) {
    this.kernels = kernels;
    const text = TEXT.encode(["onlybn", seed, ...parts].join("/"));
    const at = kernels.take(text.length);
    kernels.bytes(at, text.length).set(text);
    this.stream = kernels.exports.onlybn_stream(at, text.length);
    kernels.give(at);
  }

  close() {
    this.kernels.give(this.stream);
  }

  uniform(to, count, low, high) {
    this.kernels.exports.onlybn_draw_uniform(this.stream, to, count, low, high);
  }

  /** A convolution's or linear layer's weight of `shape`, whose outputs come first, by the initialiser `name`. */
  weight(to, shape, name) {
    const { exports } = this.kernels;
    const [outputs, ...rest] = shape;
    const fanIn = rest.reduce((a, b) => a * b, 1);
    const count = outputs * fanIn;
    const sparse = SPARSE.exec(name);
    if (name === "he-normal") exports.onlybn_draw_normal(this.stream, to, count, Math.sqrt(2 / fanIn));
    else if (name === "he-uniform") this.uniform(to, count, -Math.sqrt(6 / fanIn), Math.sqrt(6 / fanIn));
    else if (name === "binary") exports.onlybn_draw_binary(this.stream, to, count, Math.sqrt(2 / fanIn));
    else if (name === "orthogonal") exports.onlybn_draw_orthogonal(this.stream, to, outputs, fanIn);
    else if (sparse) {
      const used = Math.min(Number(sparse[1]), fanIn);
      exports.onlybn_draw_sparse(this.stream, to, outputs, fanIn, used, Math.sqrt(2 / used));
    } else throw new Error(`This page does not know the weight initialiser ${String(name).slice(0, 40)}.`);
  }

  /** `count` coins: 0 or 1. */
  coins(count) {
    return this._made(count, count, (to) => this.kernels.exports.onlybn_draw_coins(this.stream, to, count), "bytes");
  }

  /** `count` whole numbers from 0 to `bound` - 1. */
  below(count, bound) {
    return this._made(4 * count, count, (to) =>
      this.kernels.exports.onlybn_draw_below(this.stream, to, count, bound),
    );
  }

  /** For each of `rows`, an order of `count` places: (rows, count). */
  ranks(rows, count) {
    return this._made(4 * rows * count, rows * count, (to) =>
      this.kernels.exports.onlybn_draw_ranks(this.stream, to, rows, count),
    );
  }

  order(count) {
    return this.ranks(1, count);
  }

  _made(bytes, count, fill, kind = "integers") {
    const at = this.kernels.take(bytes);
    fill(at);
    const values = this.kernels[kind](at, count).slice();
    this.kernels.give(at);
    return values;
  }
}
