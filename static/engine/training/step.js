/**
 * The way there and back through a network: the gradients of all that trains, for a batch of images.
 *
 * Between two convolutions the norm layer, the residual sum and the ReLU are computed on the way, as in core/engine.
 */

import { LANES, MASK, RECOMPUTE, STATISTICS } from "../kernels.js";
import { pooled, widenedImages } from "../network.js";
import { filledUp } from "../plan.js";

const FACTORS = 3; // rows

/** Memory for steps on `network` of at most `most` images; `weighed`: the places of the units whose weight trains. */
export class Step {
  constructor(network, most, weighed = new Set()) {
    Object.assign(this, { network, kernels: network.kernels, plan: network.plan, weighed });
    const { kernels, plan } = this;
    const values = (conv) => most * conv.size ** 2 * conv.outputs;
    this.input = kernels.takeFloats(most * plan.input.size ** 2 * LANES);
    this.y = plan.units.map(({ conv }) => kernels.takeFloats(values(conv)));
    this.stats = kernels.takeFloats(STATISTICS * plan.channels);
    this.stem = kernels.takeFloats(values(plan.units[0].conv));
    this.out = plan.blocks.map(({ units }) => kernels.takeFloats(values(plan.units[units[1]].conv)));
    this.signs = plan.blocks.map(({ units }) => kernels.take(values(plan.units[units[1]].conv) / LANES));
    this.gradients = {};
    for (const name of ["gamma", "beta"]) this.gradients[name] = kernels.takeFloats(plan.channels);
    this.factors = kernels.takeFloats(FACTORS * plan.channels);
    this.back = plan.units.map((unit) => (unit.norm === "stem.norm" ? 0 : network.prepare(unit, { back: true })));
    const largest = Math.max(...plan.units.map(({ conv }) => Math.max(values(conv), most * conv.from ** 2 * conv.inputs)));
    this.spare = [0, 1, 2].map(() => kernels.takeFloats(largest));
    this.ofWeights = new Map(
      [...weighed].map((place) => {
        const full = filledUp(plan.units[place].conv);
        return [place, kernels.takeFloats(full.outputs * full.inputs * full.kernel ** 2)];
      }),
    );
  }

  close() {
    const kept = [this.input, this.stats, this.stem, this.factors, ...this.y, ...this.out, ...this.signs, ...this.spare];
    this.kernels.give(...kept, ...this.back, ...Object.values(this.gradients), ...this.ofWeights.values());
  }

  /** Prepares the weights of `weighed` units anew, after they were changed. */
  reweigh() {
    for (const place of this.weighed) {
      const unit = this.plan.units[place];
      this.network.prepare(unit, { into: this.network.weights[place] });
      if (this.back[place]) this.network.prepare(unit, { back: true, into: this.back[place] });
    }
  }

  /** (N, H, W, C) normalised images -> features (N, C), with the statistics of the batch. */
  forward(images, count) {
    const { kernels, plan } = this;
    this.count = count;
    const pixels = count * plan.input.size ** 2 * LANES;
    kernels.floats(this.input, pixels).set(widenedImages(images, count, plan.input));
    this._convolve(0, this.input);
    this._apply(0, this.stem);
    let x = this.stem;
    plan.blocks.forEach(({ units: [first, last], shortcut }, index) => {
      this._convolve(first, x);
      this._convolve(last, this.y[first], this._stat(first));
      const residual = { other: x, signs: this.signs[index] };
      if (shortcut !== null) {
        this._convolve(shortcut, x);
        Object.assign(residual, { other: this.y[shortcut], otherStat: this._stat(shortcut) });
      }
      this._apply(last, this.out[index], residual);
      x = this.out[index];
    });
    const { size, outputs } = plan.units[plan.blocks.at(-1).units[1]].conv;
    return pooled(kernels.floats(x, count * size ** 2 * outputs), count, size ** 2, outputs);
  }

  /**
   * From the gradient (N, C) of the features to those of γ, β and the weighed units' weights, kept in `gradients` and
   * `ofWeights`.
   */
  backward(gradient) {
    const { kernels, plan, count } = this;
    const { blocks } = plan;
    const top = plan.units[blocks.at(-1).units[1]].conv;
    let [g, ...free] = this.spare;
    spread(kernels.floats(g, count * top.size ** 2 * top.outputs), gradient, count, top.size ** 2, top.outputs);
    kernels.sums(count * top.size ** 2, top.outputs, g, this._asked(blocks.length - 1));
    for (let index = blocks.length - 1; index >= 0; index--) {
      const { units: [first, last], shortcut } = blocks[index];
      const x = index ? this.out[index - 1] : this.stem;
      const [inner, passed] = free;
      this._weigh(last, g, () => this._applied(first, inner), passed);
      this._through(last, g, inner, this._asked(index, first));
      if (shortcut !== null) {
        this._weigh(shortcut, g, () => x, passed);
        this._through(shortcut, g, passed, null);
      }
      const second = shortcut === null ? g : passed;
      this._weigh(first, inner, () => x, shortcut === null ? passed : g);
      this._through(first, inner, second, { ...this._asked(index - 1), second });
      free = [inner, second === g ? passed : g];
      g = second;
    }
    this._weigh(0, g, () => this.input, free[0]);
  }

  _stat(place) {
    return this.stats + 4 * STATISTICS * this.plan.units[place].at;
  }

  _convolve(place, input, stat = 0) {
    const unit = this.plan.units[place];
    const [weights, norm] = [this.network.weights[place], this.network.layer(unit, this.stats)];
    const task = { images: this.count, input, weights, output: this.y[place], stat, norm };
    this.kernels.forward(filledUp(unit.conv), task);
  }

  _apply(place, output, residual = {}) {
    const { conv } = this.plan.units[place];
    const task = { y: this.y[place], stat: this._stat(place), output, ...residual };
    this.kernels.apply(this.count * conv.size ** 2, conv.outputs, task);
  }

  _applied(place, output) {
    this._apply(place, output);
    return output;
  }

  /**
   * What the norm layer of a unit asks of the gradient of its output: of the last one of block `index` (-1: of the
   * stem), if no `place` is given.
   */
  _asked(index, place = null) {
    const { plan } = this;
    if (index < 0 || place !== null) return { ...this._sums(place ?? 0), relu: RECOMPUTE };
    const { units, shortcut } = plan.blocks[index];
    const asked = { ...this._sums(units[1]), relu: MASK, signs: this.signs[index] };
    if (shortcut === null) return asked;
    const other = this._sums(shortcut);
    Object.assign(asked, { other: other.saved, other_stat: other.stat });
    return Object.assign(asked, { other_gamma: other.gamma, other_factors: other.factors });
  }

  _sums(place) {
    const { at } = this.plan.units[place];
    const own = { saved: this.y[place], stat: this._stat(place), factors: this.factors + 4 * FACTORS * at };
    return { ...own, gamma: this.gradients.gamma + 4 * at, beta: this.gradients.beta + 4 * at };
  }

  _through(place, input, output, below) {
    const { saved, stat, factors } = this._sums(place);
    const task = { images: this.count, input, weights: this.back[place], output, of: { saved, stat, factors }, below };
    this.kernels.backward(filledUp(this.plan.units[place].conv), task);
  }

  /**
   * The gradient of a unit's weight, if it trains, from the gradient `g` of its norm layer's output and the `input`
   * of its convolution. `into`: memory for the gradient of the convolution's output.
   */
  _weigh(place, g, input, into) {
    if (!this.weighed.has(place)) return;
    const { kernels, count } = this;
    const { saved, stat, factors } = this._sums(place);
    const conv = filledUp(this.plan.units[place].conv);
    kernels.inputGradient(count * conv.size ** 2, conv.outputs, { saved, stat, factors, input: g, output: into });
    const output = this.ofWeights.get(place);
    kernels.weightGradient(conv, { images: count, input: input(), gradient: into, output });
  }

  /** β of a shortcut's layer gets the same gradient as that of the block's last layer. */
  shareBetas() {
    for (const { units, shortcut } of this.plan.blocks) {
      if (shortcut === null) continue;
      const [own, other] = [units[1], shortcut].map((place) => this.plan.units[place]);
      const from = this.kernels.floats(this.gradients.beta + 4 * own.at, own.conv.outputs);
      this.kernels.floats(this.gradients.beta + 4 * other.at, own.conv.outputs).set(from);
    }
  }
}

/** (N, C) -> (N, pixels, C): the gradient of the mean. */
function spread(to, gradient, count, pixels, channels) {
  for (let image = 0; image < count; image += 1) {
    const own = gradient.subarray(image * channels, (image + 1) * channels).map((value) => value / pixels);
    for (let i = 0; i < pixels; i += 1) to.set(own, (image * pixels + i) * channels);
  }
}
