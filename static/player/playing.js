/**
 * The network that the page shows, with its test images, its edits and the image that is looked at.
 */

import { accuracyOf } from "../engine/accuracy.js";
import { rebuilt } from "../engine/capsule.js";
import { DATASETS, normalised } from "../engine/datasets.js";
import { loadImages, SHIPPED } from "../engine/images.js";
import { parametersOf } from "../engine/plan.js";
import { trainsOf } from "../engine/policy.js";

export const DEAD = 0.01; // a feature is disabled where |γ| is below it (paper, section 5)

const WORDS = {
  batchnorm: "Only γ and β of BatchNorm trained",
  gamma: "Only γ of BatchNorm trained",
  beta: "Only β of BatchNorm trained",
  output: "Only the output layer trained",
  shortcut: "Only the shortcuts trained",
  all: "All parameters trained",
  none: "Nothing trained",
};

/** Dispatches "image" when another image is looked at, "edit" when features were switched off or on. */
export class Playing extends EventTarget {
  static async of(kernels, network) {
    const began = performance.now();
    const built = rebuilt(kernels, network);
    const playing = new Playing(network, built, performance.now() - began);
    const { dataset } = network.spec;
    if (Object.hasOwn(SHIPPED, dataset)) playing.images = await loadImages(dataset, "test").catch(() => null);
    return playing;
  }

  constructor(network, built, milliseconds) {
    super();
    Object.assign(this, { network, built, milliseconds, data: DATASETS[network.spec.dataset], images: null });
    this.gammas = built.kernels.floats(built.flat.gamma, built.plan.channels).slice();
    this.epsilon = 0;
    this.pixels = null;
  }

  close() {
    this.built.close();
  }

  get title() {
    const [, family, number] = /^(resnet|wrn-14)-(\d+)$/.exec(this.network.spec.architecture);
    return family === "resnet" ? `ResNet-${number}` : `Wide ResNet-14-${number}`;
  }

  get policy() {
    const { policy } = this.network.spec;
    return WORDS[policy] ?? `Trained: ${policy}`;
  }

  /** How many numbers the network has, and how many of them trained. */
  get counts() {
    const size = (shape) => shape.reduce((a, b) => a * b, 1);
    const all = parametersOf(this.built.plan).reduce((sum, { shape }) => sum + size(shape), 0);
    const trained = [...trainsOf(this.network.spec.policy, this.built.plan).values()];
    return { all, trained: trained.reduce((sum, { shape }) => sum + size(shape), 0) };
  }

  /** Logits and the outputs of all ReLUs for the image that is looked at; null while there is none. */
  look() {
    if (!this.pixels) return null;
    const outputs = new Map();
    const seen = (name, values, channels) => outputs.set(name, { values: values.slice(), channels });
    const logits = this.built.logits(normalised(this.pixels, this.data), 1, seen);
    return { shares: softmax(logits), outputs };
  }

  /** Looks at another image: (H, W, C) from 0 to 255; `label`: its class, or null. */
  choose(pixels, label = null) {
    Object.assign(this, { pixels, label });
    this.dispatchEvent(new Event("image"));
  }

  /** Switches off every feature whose |γ| is below `epsilon`. */
  cut(epsilon) {
    this.epsilon = epsilon;
    const { kernels, flat, plan } = this.built;
    kernels.floats(flat.gamma, plan.channels).set(this.gammas.map((gamma) => (Math.abs(gamma) < epsilon ? 0 : gamma)));
    this.built.refresh();
    this.dispatchEvent(new Event("edit"));
  }

  announce() {
    this.dispatchEvent(new Event("edit"));
  }

  /** How many features have a |γ| below `epsilon`. */
  below(epsilon) {
    return this.gammas.reduce((count, gamma) => count + (Math.abs(gamma) < epsilon ? 1 : 0), 0);
  }

  /** Share of correct answers on the images that come with the page. `going()`: whether to go on; null if not. */
  accuracy(going) {
    return accuracyOf(this.built, this.data, this.images, going);
  }
}

function softmax(logits) {
  const top = Math.max(...logits);
  const parts = Array.from(logits, (value) => Math.exp(value - top));
  const total = parts.reduce((a, b) => a + b, 0);
  return parts.map((value) => value / total);
}
