/**
 * What trains in a network under the policy of its spec, by the names that a capsule has for it.
 */

import { LANES } from "../kernels.js";
import { chosenPlaces, firstScores, masked } from "../network.js";
import { parametersOf } from "../plan.js";
import { trainsOf } from "../policy.js";

const OUTPUT = "output.weight";

/**
 * `tensors`: { values(), gradient() } by name; `weighed`: the places of the units whose weight needs a gradient; `deep`:
 * whether anything below the output layer trains.
 */
export class Trainable {
  /** Under random-k and supermasks, `values` become the weights that the network uses. */
  constructor(kernels, plan, spec, values) {
    Object.assign(this, { plan, tensors: new Map(), updates: [], weighed: new Set() });
    const shapes = new Map(parametersOf(plan).map(({ name, shape }) => [name, shape]));
    for (const [name, trained] of trainsOf(spec.policy, plan)) {
      const place = plan.units.findIndex(({ conv }) => `${conv.name}.weight` === name);
      if (place >= 0) this.weighed.add(place);
      const gradient = () => (name === OUTPUT ? this._ofOutput() : this._ofWeight(place));
      const layer = name.replace(/\.weight$/, "");
      if (trained.how === "values") {
        const places = chosenPlaces(kernels, spec, name, shapes.get(name), trained);
        this._scatter(`${layer}.values`, values.get(name), places, gradient);
      } else if (trained.how === "scores") {
        const scores = firstScores(kernels, spec, name, shapes.get(name));
        this._mask(`${layer}.scores`, values.get(name), scores, trained.keep, gradient);
      } else this.tensors.set(name, { values: () => values.get(name), gradient });
    }
    this.deep = [...this.tensors.keys()].some((name) => !name.startsWith("output."));
  }

  /** Takes γ and β from the network of `learner`, and all gradients from its steps. */
  bind(learner) {
    const { network, stepping, kernels } = learner;
    this.learner = learner;
    for (const unit of this.plan.units)
      for (const [part, name] of [
        ["gamma", `${unit.norm}.weight`],
        ["beta", `${unit.norm}.bias`],
      ]) {
        if (!this.tensors.has(name)) continue;
        const gradient = () => kernels.floats(stepping.gradients[part] + 4 * unit.at, unit.conv.outputs);
        this.tensors.set(name, { values: () => network.part(part, unit), gradient });
      }
    if (this.tensors.has("output.bias")) this.tensors.get("output.bias").gradient = () => this._ofBias();
  }

  /** Puts values and scores into the weights that the network uses. */
  changed() {
    for (const update of this.updates) update();
  }

  _scatter(name, weight, places, gradient) {
    const own = Float32Array.from(places, (at) => weight[at]);
    this.updates.push(() => places.forEach((at, i) => (weight[at] = own[i])));
    this.tensors.set(name, {
      values: () => own,
      gradient: () => {
        const all = gradient();
        return Float32Array.from(places, (at) => all[at]);
      },
    });
  }

  /** The gradient passes straight through the choice, and through |score|. */
  _mask(name, weight, scores, keep, gradient) {
    const frozen = weight.slice();
    const use = () => weight.set(masked(frozen, scores, keep));
    use();
    this.updates.push(use);
    this.tensors.set(name, {
      values: () => scores,
      gradient: () => gradient().map((value, i) => value * frozen[i] * Math.sign(scores[i])),
    });
  }

  /** (outputs, inputs, kernel, kernel), without the channels with which the images were filled up. */
  _ofWeight(place) {
    const { conv } = this.plan.units[place];
    const { kernels, stepping } = this.learner;
    const squared = conv.kernel ** 2;
    const wide = Math.ceil(conv.inputs / LANES) * LANES * squared;
    const all = kernels.floats(stepping.ofWeights.get(place), conv.outputs * wide);
    const own = conv.inputs * squared;
    if (own === wide) return all;
    const narrow = new Float32Array(conv.outputs * own);
    for (let out = 0; out < conv.outputs; out += 1) narrow.set(all.subarray(out * wide, out * wide + own), out * own);
    return narrow;
  }

  _ofOutput() {
    const { features: width, classes } = this.plan;
    const { features, gradientOfLogits: logits } = this.learner;
    const gradient = new Float32Array(classes * width);
    for (let image = 0; image < logits.length / classes; image += 1)
      for (let k = 0; k < classes; k += 1)
        for (let c = 0; c < width; c += 1)
          gradient[k * width + c] += logits[image * classes + k] * features[image * width + c];
    return gradient;
  }

  _ofBias() {
    const sums = new Float32Array(this.plan.classes);
    this.learner.gradientOfLogits.forEach((value, i) => (sums[i % sums.length] += value));
    return sums;
  }
}
