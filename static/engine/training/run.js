/**
 * Trains one spec and yields events, in the words of core/run/events.py. It can be left and taken up at every step.
 */

import { normalised } from "../datasets.js";
import { parametersOf } from "../plan.js";
import { trainsOf } from "../policy.js";
import { batchesOf, subsetOf } from "./batches.js";
import { Learner } from "./learner.js";
import { snapshotOf } from "./snapshot.js";
import { pointStride } from "./stride.js";

const STEM_MOMENTUM = 0.1; // of the running statistics
const PROGRESS_MS = 500;

export class Run {
  /** `spec`: complete; `train`, `test`: images as loadImages() gives them; `state`: of an earlier `state()`, or null. */
  constructor(kernels, spec, { train, test }, state = null) {
    Object.assign(this, { kernels, spec });
    this.train = part(kernels, train, spec.train_examples, spec.dataset);
    const tested = part(kernels, test, spec.test_examples, spec.dataset);
    this.learner = new Learner(kernels, spec, this.train.labels.length);
    this.test = { images: normalised(tested.pixels, this.learner.data), labels: tested.labels };
    this.trains = trainsOf(spec.policy, this.learner.plan);
    const batch = Math.min(spec.recipe.batch_size, this.train.labels.length);
    this.stride = pointStride(this.learner.plan, this.trains, batch);
    this.window = nothing();
    this.passed = nothing();
    this.seconds = 0;
    this.last = {};
    if (state) this._restore(state);
  }

  get epoch() {
    return this.learner.step / this.learner.stepsPerEpoch;
  }

  close() {
    this.learner.close();
  }

  /** Everything from `started` to `finished`; after each event the caller may stop. */
  *events() {
    const { learner, spec } = this;
    let [began, spoke, images] = [performance.now(), performance.now(), 0];
    const keepTime = () => {
      const now = performance.now();
      this.seconds += (now - began) / 1000;
      began = now;
    };
    yield this._started();
    if (!learner.step) {
      yield this._tested(this._testAtStart());
      yield snapshotOf(learner.network, 0, 0);
    }
    while (learner.step < learner.total) {
      const epoch = Math.floor(learner.step / learner.stepsPerEpoch);
      const first = learner.step % learner.stepsPerEpoch;
      for (const batch of batchesOf(this.kernels, this.train, learner.data, spec, epoch, first)) {
        const found = learner.trainStep(batch);
        add(this.window, found.loss * batch.count, found.correct, batch.count);
        images += batch.count;
        const ends = learner.step % learner.stepsPerEpoch === 0;
        keepTime();
        if (ends || learner.step % this.stride === 0) {
          yield this._measured(ends, found.lr);
          yield snapshotOf(learner.network, learner.step, this.epoch);
        } else yield null; // a place to stop
        const now = performance.now();
        if (now - spoke >= PROGRESS_MS) {
          const rate = images / ((now - spoke) / 1000);
          [spoke, images] = [now, 0];
          yield this._progress(rate);
        }
      }
      yield this._tested(learner.test(this.test));
      keepTime();
    }
  }

  /** All that an unfinished training remembers, as plain values. */
  state() {
    const { learner } = this;
    const { network, plan, trainable, state } = learner;
    const flat = Object.fromEntries(
      Object.entries(network.flat).map(([name, at]) => [name, this.kernels.floats(at, plan.channels).slice()]),
    );
    const tensors = [...trainable.tensors].map(([name, { values }]) => [name, values().slice()]);
    return structuredClone({
      ...{ step: learner.step, flat, tensors, optimizer: [...state], window: this.window, passed: this.passed },
      ...{ seconds: this.seconds, last: this.last },
    });
  }

  /** What the event `finished` says but for the digest. */
  result() {
    const { learner, last } = this;
    const gammas = this.kernels.floats(learner.network.flat.gamma, learner.plan.channels);
    const off = gammas.reduce((sum, value) => sum + (Math.abs(value) < 0.01 ? 1 : 0), 0);
    const size = (shape) => shape.reduce((a, b) => a * b, 1);
    return {
      ...{ event: "finished", step: learner.step, epoch: this.epoch, top1: last.test.top1, loss: last.test.loss },
      ...{ train_top1: last.train.top1, train_loss: last.train.loss, top5: last.test.top5 },
      trainable: [...this.trains.values()].reduce((sum, { shape }) => sum + size(shape), 0),
      ...{ disabled: off / gammas.length, seconds: Number(this.seconds.toFixed(3)) },
    };
  }

  _restore({ step, flat, tensors, optimizer, window, passed, seconds, last }) {
    const { learner, kernels } = this;
    Object.assign(this, { window, passed, seconds, last });
    for (const [name, values] of Object.entries(flat))
      kernels.floats(learner.network.flat[name], values.length).set(values);
    for (const [name, values] of tensors) learner.trainable.tensors.get(name).values().set(values);
    learner.trainable.changed();
    learner.stepping.reweigh();
    learner.state = new Map(optimizer);
    learner.step = step;
  }

  _started() {
    const { learner, spec } = this;
    const { plan } = learner;
    const count = (...roles) =>
      parametersOf(plan).reduce((sum, { role, shape }) => sum + (roles.includes(role) ? shape.reduce((a, b) => a * b, 1) : 0), 0);
    const trainable = [...this.trains.values()].reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
    const all = parametersOf(plan).reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
    return {
      ...{ event: "started", total_steps: learner.total, steps_per_epoch: learner.stepsPerEpoch, resumed_from: learner.step || null },
      ...{ train_examples: this.train.labels.length, test_examples: this.test.labels.length },
      counts: {
        ...{ total: all, trainable, batchnorm: count("gamma", "beta") },
        ...{ output: count("output", "output-bias"), shortcut: count("shortcut") },
      },
      layers: plan.units.map(({ norm, conv, stage, shortcut }) => ({ name: norm, channels: conv.outputs, stage, shortcut })),
      ...{ device: "cpu", threads: this.kernels.threads, processes: 1, engine: `browser, WebAssembly, ${spec.recipe.optimizer}` },
    };
  }

  /** Before the first step the running statistics have seen nothing: those of the first batch take their place. */
  _testAtStart() {
    const { learner, kernels } = this;
    const { flat } = learner.network;
    const { channels } = learner.plan;
    const [batch] = batchesOf(kernels, this.train, learner.data, this.spec, 0);
    learner.stepping.forward(batch.images, batch.count);
    const mean = kernels.floats(flat.mean, channels);
    const variance = kernels.floats(flat.variance, channels);
    for (let c = 0; c < channels; c += 1) {
      mean[c] /= STEM_MOMENTUM;
      variance[c] = (variance[c] - (1 - STEM_MOMENTUM)) / STEM_MOMENTUM;
    }
    const found = learner.test(this.test);
    kernels.floats(flat.mean, channels).fill(0);
    kernels.floats(flat.variance, channels).fill(1);
    return found;
  }

  _tested({ loss, top1, top5 }) {
    this.last.test = { loss, top1, top5 };
    return { event: "point", step: this.learner.step, epoch: this.epoch, split: "test", loss, top1, top5, lr: null };
  }

  _measured(ends, lr) {
    add(this.passed, this.window.loss, this.window.correct, this.window.count);
    const { loss, correct, count } = ends ? this.passed : this.window;
    this.window = nothing();
    if (ends) this.passed = nothing();
    this.last.train = { loss: loss / count, top1: correct / count };
    return { event: "point", step: this.learner.step, epoch: this.epoch, split: "train", ...this.last.train, top5: null, lr };
  }

  _progress(rate) {
    const { step, total } = this.learner;
    return {
      ...{ event: "progress", step, total_steps: total, images_per_s: Number(rate.toFixed(1)), elapsed_s: Number(this.seconds.toFixed(1)) },
      eta_s: step ? Number(((this.seconds / step) * (total - step)).toFixed(1)) : null,
    };
  }
}

const nothing = () => ({ loss: 0, correct: 0, count: 0 });

function add(sums, loss, correct, count) {
  sums.loss += loss;
  sums.correct += correct;
  sums.count += count;
}

/** The first `count` images that a spec takes. A data set that ships in part is in that order already. */
function part(kernels, split, count, dataset) {
  const have = split.labels.length;
  if (count === null || count === have) return split;
  const each = split.pixels.length / have;
  const places = dataset === "digits" ? subsetOf(kernels, have, count) : Int32Array.from({ length: count }, (_, i) => i);
  const pixels = new Uint8Array(count * each);
  places.forEach((place, i) => pixels.set(split.pixels.subarray(place * each, (place + 1) * each), i * each));
  return { pixels, labels: Uint8Array.from(places, (place) => split.labels[place]) };
}
