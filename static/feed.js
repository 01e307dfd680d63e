/**
 * The runs that a page looks at, kept up to date by one question a tick to /api/feed: what is new since my cursors?
 *
 * Panels listen to a RunData and draw from it; they never ask the server themselves.
 */

import { ask } from "./api.js";
import { isOver } from "./catalog.js";
import { repeat } from "./live.js";

/** Everything known of one run. Dispatches "change" when something is new. */
class RunData extends EventTarget {
  run = null;
  missing = false;
  layers = null;
  points = { train: [], test: [] };
  #latest = null;
  snapshots = [];
  log = [];
  /** Nothing more will come. */
  complete = false;

  constructor(id, { points = true, snapshots = false, log = false }) {
    super();
    this.id = id;
    this.cursor = { points: points ? 0 : null, snapshots: snapshots ? 0 : null, log: log ? 0 : null };
  }

  /** Takes what the feed says of this run; answers whether anything is new. */
  take(answer) {
    if (answer === null) {
      this.missing = this.complete = true;
      return true;
    }
    const { run, points, latest, snapshots, log, cursor } = answer;
    if (run.layers) this.layers = run.layers;
    // The newest point of a long run is only there until the next answer: a few of its neighbours will stand for it.
    if (this.#latest) this.points.train.pop();
    this.#latest = latest;
    for (const [, step, epoch, split, loss, top1, top5, lr] of latest ? [...points, latest] : points)
      this.points[split].push({ step, epoch, loss, top1, top5, lr });
    // A snapshot that the server does not keep is only there until the next one.
    if (snapshots.length && this.snapshots.at(-1)?.kept === false) this.snapshots.pop();
    this.snapshots.push(...snapshots);
    this.log.push(...log);
    this.cursor = { ...this.cursor, ...cursor };
    const fresh = points.length + snapshots.length + log.length;
    const changed = fresh > 0 || JSON.stringify(run) !== this.last;
    this.last = JSON.stringify(run);
    this.run = run;
    this.complete = isOver(run) && fresh === 0;
    return changed;
  }
}

/** A page's runs. */
export class Feed {
  #runs = new Map();
  #layer = null;
  #task = null;
  #generation = 0;

  /** The RunData of run `id`, watched from now on. */
  watch(id, wanted = {}) {
    if (!this.#runs.has(id)) this.#runs.set(id, new RunData(id, wanted));
    if (this.#task) this.#task.wake();
    else this.#task = repeat(() => this.#ask());
    return this.#runs.get(id);
  }

  unwatch(id) {
    this.#runs.delete(id);
  }

  /** Asks again soon, also for runs that were complete. */
  wake() {
    for (const data of this.#runs.values()) data.complete = false;
    this.#task?.wake();
  }

  /** From now on histograms are of layer number `layer` only; null: of all layers together. */
  setLayer(layer) {
    this.#layer = layer;
    this.#generation += 1;
    for (const data of this.#runs.values()) {
      data.snapshots = [];
      if (data.cursor.snapshots !== null) data.cursor.snapshots = 0;
    }
    this.wake();
  }

  async #ask() {
    const open = [...this.#runs.values()].filter((data) => !data.complete);
    if (!open.length) return false;
    const generation = this.#generation;
    const runs = Object.fromEntries(open.map((data) => [data.id, data.cursor]));
    const answer = await ask("/api/feed", { runs, layer: this.#layer });
    // The layer changed while the answer was on its way: it belongs to another question.
    if (generation !== this.#generation) return 1;
    for (const data of open) if (data.take(answer.runs[data.id])) data.dispatchEvent(new Event("change"));
    document.dispatchEvent(new CustomEvent("onlybn:server", { detail: answer.server }));
    return open.some((data) => !data.complete) ? answer.interval_ms : false;
  }
}
