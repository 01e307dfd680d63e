/**
 * A training in this tab as the charts know a run: { run, layers, points, snapshots, ... }, and its worker.
 */

import { forgetTraining, keptTraining } from "../../engine/kept.js";

const sums = (rows) => rows[0].map((_, bin) => rows.reduce((sum, row) => sum + row[bin], 0));

/** Dispatches "change" when anything is new. */
export class TabTraining extends EventTarget {
  run;
  layers = null;
  points = { train: [], test: [] };
  snapshots = [];
  thinned = false;
  capsule = null;
  /** All events but progress, in the words of core/run/events.py. */
  events = [];
  /** Bytes of images that have come, before the first event. */
  loaded = 0;
  #worker = null;

  /** `id`: the same for the same spec; `spec`: complete. */
  constructor(id, spec) {
    super();
    this.id = id;
    const progress = { step: 0, total_steps: 0, share: 0, images_per_s: null, eta_s: null, elapsed_s: null };
    this.run = { id, spec, name: spec.name, state: "queued", progress, counts: null, threads: null, result: null, error: null };
  }

  /** Shows what this browser has kept of it. Returns whether there is anything. */
  async recall() {
    const kept = await keptTraining(this.id).catch(() => null);
    if (!kept) return false;
    for (const event of kept.events) this.#take(event);
    this.capsule = kept.capsule;
    if (this.run.state !== "finished") this.run.state = "cancelled";
    this.dispatchEvent(new Event("change"));
    return true;
  }

  /** Begins, or goes on from what was kept. */
  start() {
    this.run = { ...this.run, state: "running", error: null };
    this.#worker = new Worker(new URL("../../engine/training/worker.js", import.meta.url), { type: "module" });
    this.#worker.onmessage = ({ data }) => this.#hear(data);
    this.#worker.onerror = (event) => this.#fail(event.message || "The worker of this tab could not be loaded.");
    this.#worker.postMessage({ id: this.id, spec: this.run.spec });
    this.dispatchEvent(new Event("change"));
  }

  stop() {
    this.#worker?.postMessage({ stop: true });
  }

  /** Forgets all of it. */
  async forget() {
    this.#worker?.terminate();
    await forgetTraining(this.id);
  }

  #hear({ event, stopped, capsule, problem, loaded }) {
    if (loaded) this.loaded = loaded;
    if (event) this.#take(event);
    if (capsule) this.capsule = capsule;
    if (stopped) this.run = { ...this.run, state: "cancelled" };
    if (problem) return this.#fail(problem);
    if (stopped || capsule) this.#worker.terminate();
    this.dispatchEvent(new Event("change"));
  }

  #fail(message) {
    this.run = { ...this.run, state: "failed", error: { kind: "error", message } };
    this.#worker?.terminate();
    this.dispatchEvent(new Event("change"));
  }

  #take(event) {
    const { run } = this;
    if (event.event !== "progress") this.events.push(event);
    if (event.event === "started") {
      this.layers = event.layers;
      const { total_steps } = event;
      this.run = { ...run, counts: event.counts, threads: event.threads, progress: { ...run.progress, total_steps }, stepsPerEpoch: event.steps_per_epoch };
      this.#rewind(event.resumed_from);
    } else if (event.event === "point") {
      this.points[event.split].push(event);
      this.#advance(event.step);
    } else if (event.event === "snapshot") {
      const { step, epoch, gamma, beta, disabled } = event;
      this.snapshots.push({ step, epoch, disabled, gamma: sums(gamma.counts), beta: sums(beta.counts), kept: true });
    } else if (event.event === "progress") {
      this.run = { ...run, progress: { ...run.progress, ...event, share: event.step / event.total_steps } };
    } else if (event.event === "finished") {
      const progress = { ...run.progress, step: event.step, share: 1, eta_s: null };
      this.run = { ...run, state: "finished", result: event, progress };
    }
  }

  /** What was measured after the step from which a training goes on is measured anew. */
  #rewind(step) {
    if (step === null) return;
    const before = (row) => row.step <= step;
    for (const split of ["train", "test"]) this.points[split] = this.points[split].filter(before);
    this.snapshots = this.snapshots.filter(before);
    this.events = this.events.filter((event) => event.event === "started" || before(event));
  }

  #advance(step) {
    const { progress } = this.run;
    this.run = { ...this.run, progress: { ...progress, step, share: step / progress.total_steps } };
  }
}
