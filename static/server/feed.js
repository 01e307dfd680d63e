/**
 * The runs that a page looks at, kept up to date by one question a tick to /api/feed: what is new since my cursors?
 *
 * Panels listen to a RunData and draw from it; they never ask the server themselves.
 */

import { ask } from "./api.js";
import { isOver, options } from "./catalog.js";
import { repeat } from "./live.js";

const MAX_ASKED = 20; // runs in one question, as the server allows
const QUEUED_EVERY = 5; // turns, where more runs are open than that
const isCheckpoint = ({ kind }) => kind === "checkpoint";

/** The point of a row, which has its cursor first. */
const named = ([, ...values]) => Object.fromEntries(options.point.map((name, i) => [name, values[i]]));

/** Everything known of one run. Dispatches "change" when something is new. */
class RunData extends EventTarget {
  run = null;
  missing = false;
  layers = null;
  points = { train: [], test: [] };
  /** Of the train points only those come that a picture can show. */
  thinned = false;
  #latest = null;
  snapshots = [];
  log = [];
  speeds = [];
  /** Fields of the run that a button acts on, as they will be once the server has answered. */
  pretended = {};
  /** [cursor, step, epoch, share] of each snapshot. */
  disabled = [];
  /** The feed has told something of it. */
  heard = false;
  /** Nothing more will come. */
  complete = false;

  constructor(id, { points = true, snapshots = false, log = false, disabled = false, speeds = false }) {
    super();
    this.id = id;
    const wanted = { points, snapshots, log, disabled, speeds };
    this.cursor = Object.fromEntries(Object.entries(wanted).map(([kind, wants]) => [kind, wants ? 0 : null]));
  }

  /** Takes what the feed says of this run; answers whether anything is new. */
  take(answer) {
    this.heard = true;
    if (answer === null) {
      this.missing = this.complete = true;
      return true;
    }
    const { run, points, latest, thinned, snapshots, log, disabled, speeds, cursor } = answer;
    if (run.layers) this.layers = run.layers;
    // The newest point of a long run is only there until the next answer: a few of its neighbours will stand for it.
    if (this.#latest) this.points.train.pop();
    this.#latest = latest;
    this.thinned = thinned;
    for (const row of latest ? [...points, latest] : points) {
      const point = named(row);
      this.points[point.split].push(point);
    }
    // A snapshot that the server does not keep is only there until the next one.
    if (snapshots.length && this.snapshots.at(-1)?.kept === false) this.snapshots.pop();
    this.snapshots.push(...snapshots);
    // Of checkpoints only the newest is told, here as on the server.
    if (log.some(isCheckpoint)) this.log = this.log.filter((line) => !isCheckpoint(line));
    this.log.push(...log);
    this.disabled.push(...disabled);
    this.speeds.push(...speeds.map(([, epoch, images_per_s]) => ({ epoch, images_per_s })));
    this.cursor = { ...this.cursor, ...cursor };
    const fresh = points.length + snapshots.length + log.length + disabled.length + speeds.length;
    const changed = fresh > 0 || JSON.stringify(run) !== this.last;
    this.last = JSON.stringify(run);
    this.run = { ...run, ...this.pretended };
    // Only histograms may come in several parts.
    this.complete = isOver(run) && (fresh === 0 || this.cursor.snapshots === null);
    return changed;
  }
}

/** A page's runs. */
export class Feed {
  #runs = new Map();
  #layer = null;
  #task = null;
  #generation = 0;
  #turn = 0;

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

  /** From now on also `kind` ("disabled") of all runs that are watched. */
  also(kind) {
    for (const data of this.#runs.values()) data.cursor[kind] ??= 0;
    this.wake();
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
    this.#turn += 1;
    let interval_ms = 0;
    for (const some of this.#parts()) {
      const generation = this.#generation;
      const runs = Object.fromEntries(some.map((data) => [data.id, data.cursor]));
      const answer = await ask("/api/feed", { runs, layer: this.#layer });
      // The layer changed while the answer was on its way: it belongs to another question.
      if (generation !== this.#generation) return 1;
      for (const data of some) if (data.take(answer.runs[data.id])) data.dispatchEvent(new Event("change"));
      document.dispatchEvent(new CustomEvent("onlybn:server", { detail: answer.server }));
      interval_ms = Math.max(interval_ms, answer.interval_ms);
    }
    return [...this.#runs.values()].some((data) => !data.complete) ? interval_ms || true : false;
  }

  /** The runs to ask for in this turn, as many at once as one question may have. */
  #parts() {
    const open = [...this.#runs.values()].filter((data) => !data.complete);
    const calm = open.length > MAX_ASKED && this.#turn % QUEUED_EVERY > 0;
    const asked = calm ? open.filter(({ run, heard }) => !heard || run.state !== "queued") : open;
    return Array.from({ length: Math.ceil(asked.length / MAX_ASKED) }, (_, part) =>
      asked.slice(part * MAX_ASKED, (part + 1) * MAX_ASKED),
    );
  }
}
