/**
 * A network in training: its steps and its tests.
 */

import { planFor } from "../capsule.js";
import { DATASETS } from "../datasets.js";
import { drawValues, Network } from "../network.js";
import { crossEntropy, inTop } from "./loss.js";
import { OPTIMIZERS } from "./optimizers.js";
import { rateOf } from "./schedules.js";
import { Step } from "./step.js";
import { Trainable } from "./trainable.js";

export class Learner {
  /** `spec`: complete; `examples`: how many images an epoch has. */
  constructor(kernels, spec, examples) {
    Object.assign(this, { kernels, spec, data: DATASETS[spec.dataset], step: 0 });
    this.plan = planFor(spec);
    const values = drawValues(kernels, this.plan, spec);
    this.trainable = new Trainable(kernels, this.plan, spec, values);
    this.network = new Network(kernels, this.plan, values);
    this.stepping = new Step(this.network, Math.min(spec.recipe.batch_size, examples), this.trainable.weighed);
    this.trainable.bind(this);
    this.state = new Map();
    this.stepsPerEpoch = Math.ceil(examples / spec.recipe.batch_size);
    this.total = spec.epochs * this.stepsPerEpoch;
  }

  close() {
    this.stepping.close();
    this.network.close();
  }

  /** Trains on one batch; gives the mean loss, how many images were classified correctly, and the learning rate. */
  trainStep(batch) {
    const { recipe } = this.spec;
    const lr = rateOf(recipe, this.step, this.stepsPerEpoch, this.total);
    const found = this.gradients(batch);
    if (!Number.isFinite(found.loss))
      throw new Error(`The loss became infinite at step ${this.step}. A lower learning rate helps.`);
    for (const [name, { values, gradient }] of this.trainable.tensors) {
      if (!this.state.has(name)) this.state.set(name, {});
      OPTIMIZERS[recipe.optimizer](values(), gradient(), this.state.get(name), lr, recipe);
    }
    this.trainable.changed();
    this.stepping.reweigh();
    this.step += 1;
    return { ...found, lr };
  }

  /** There and back for a batch { images, labels, count }; then `gradient()` of each trainable tensor has its own. */
  gradients({ images, labels, count }) {
    const features = this.stepping.forward(images, count);
    const logits = this.network.output(features, count);
    const found = crossEntropy(logits, labels, this.plan.classes, this.spec.recipe.label_smoothing);
    Object.assign(this, { features, gradientOfLogits: found.gradient });
    if (this.trainable.deep) {
      this.stepping.backward(this.network.outputBack(found.gradient, count));
      this.stepping.shareBetas();
    }
    return found;
  }

  /** Mean loss and shares of correct answers on a split { images, labels }, by the running statistics of now. */
  test({ images, labels }) {
    this.network.refresh();
    const { classes } = this.plan;
    const logits = this.network.logits(images, labels.length);
    const { loss, correct } = crossEntropy(logits, labels, classes);
    return { loss, top1: correct / labels.length, top5: inTop(5, logits, labels, classes) / labels.length };
  }
}
