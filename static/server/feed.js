/**
 * The runs that a page shows. One request to /api/feed per tick fetches what is new since the last cursors.
 *
 * Panels listen to a RunData and draw from it; they send no requests themselves.
 */

import { ask } from "./api.js";
import { isOver, options } from "./catalog.js";
import { repeat } from "./live.js";

const MAX_ASKED = 20; // runs in one request, the server's limit
const QUEUED_EVERY = 5; // turns between requests for queued runs, if more than MAX_ASKED runs are open
const isCheckpoint = ({ kind }) => kind === "checkpoint";

/** The point of a row, which has its cursor first. */
const named = ([, ...values]) => Object.fromEntries(options.point.map((name, i) => [name, values[i]]));

/** Takes away the last rows of an attempt that ended, which the next one measures anew. */
function rewind(rows, isAnew) {
  while (rows.length && isAnew(rows.at(-1))) rows.pop();
}

/** All that is known about one run. Dispatches "change" when something is new. */
class RunData extends EventTarget {
  run = null;
  missing = false;
  layers = null;
  points = { train: [], test: [] };
  /** Whether the feed sends only as many train points as a chart can show. */
  thinned = false;
  #latest = null;
  snapshots = [];
  log = [];
  speeds = [];
  /** Fields that a button has changed, shown until the server's response arrives. */
  pretended = {};
  /** [cursor, step, epoch, share] of each snapshot. */
  disabled = [];
  /** Whether the feed has answered about this run. */
  heard = false;
  /** Whether the feed will send nothing more. */
  complete = false;

  constructor(id, { points = true, snapshots = false, log = false, disabled = false, speeds = false }) {
    super();
    this.id = id;
    const wanted = { points, snapshots, log, disabled, speeds };
    this.cursor = Object.fromEntries(Object.entries(wanted).map(([kind, wants]) => [kind, wants ? 0 : null]));
  }

  /** Takes what the feed says about this run. Returns whether anything is new. */
  take(answer) {
    this.heard = true;
    if (answer === null) {
      this.missing = this.complete = true;
      return true;
    }
    const { run, points, latest, thinned, snapshots, log, disabled, speeds, cursor } = answer;
    if (run.layers) this.layers = run.layers;
    // The newest point of a long run is temporary: the next response may have a neighbouring point in its place.
    if (this.#latest) this.points.train.pop();
    this.#latest = latest;
    this.thinned = thinned;
    for (const row of latest ? [...points, latest] : points) {
      const point = named(row);
      rewind(this.points[point.split], (there) => there.step >= point.step);
      this.points[point.split].push(point);
    }
    if (snapshots.length) rewind(this.snapshots, ({ step }) => step >= snapshots[0].step);
    if (disabled.length) rewind(this.disabled, ([, step]) => step >= disabled[0][1]);
    if (speeds.length) rewind(this.speeds, ({ epoch }) => epoch >= speeds[0][1]);
    // A snapshot that the server does not keep disappears when the next one comes.
    if (snapshots.length && this.snapshots.at(-1)?.kept === false) this.snapshots.pop();
    this.snapshots.push(...snapshots);
    // The log lists only the newest checkpoint, as on the server.
    if (log.some(isCheckpoint)) this.log = this.log.filter((line) => !isCheckpoint(line));
    this.log.push(...log);
    this.disabled.push(...disabled);
    this.speeds.push(...speeds.map(([, epoch, images_per_s]) => ({ epoch, images_per_s })));
    this.cursor = { ...this.cursor, ...cursor };
    const fresh = points.length + snapshots.length + log.length + disabled.length + speeds.length;
    const changed = fresh > 0 || JSON.stringify(run) !== this.last;
    this.last = JSON.stringify(run);
    this.run = { ...run, ...this.pretended };
    // Only histograms may come in several responses.
    this.complete = isOver(run) && (fresh === 0 || this.cursor.snapshots === null);
    return changed;
  }
}

/** The runs of a page. */
export class Feed {
  #runs = new Map();
  #layer = null;
  #task = null;
  #generation = 0;
  #turn = 0;

  /** Starts to watch run `id`. Returns its RunData. */
  watch(id, wanted = {}) {
    if (!this.#runs.has(id)) this.#runs.set(id, new RunData(id, wanted));
    if (this.#task) this.#task.wake();
    else this.#task = repeat(() => this.#ask(), 1000, { hidden: true });
    return this.#runs.get(id);
  }

  unwatch(id) {
    this.#runs.delete(id);
  }

  /** Also fetches `kind` ("disabled") for all watched runs. */
  also(kind) {
    for (const data of this.#runs.values()) data.cursor[kind] ??= 0;
    this.wake();
  }

  /** Sends a request soon, also for runs that were complete. */
  wake() {
    for (const data of this.#runs.values()) data.complete = false;
    this.#task?.wake();
  }

  /** Fetches histograms of layer number `layer` only; null: of all layers together. */
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
      // The layer has changed since this request was sent, so its response is out of date.
      if (generation !== this.#generation) return 1;
      for (const data of some) if (data.take(answer.runs[data.id])) data.dispatchEvent(new Event("change"));
      document.dispatchEvent(new CustomEvent("onlybn:server", { detail: answer.server }));
      interval_ms = Math.max(interval_ms, answer.interval_ms);
    }
    return [...this.#runs.values()].some((data) => !data.complete) ? interval_ms || true : false;
  }

  /** The runs to ask for in this turn, split into lists of at most MAX_ASKED. */
  #parts() {
    const open = [...this.#runs.values()].filter((data) => !data.complete);
    const calm = open.length > MAX_ASKED && this.#turn % QUEUED_EVERY > 0;
    const asked = calm ? open.filter(({ run, heard }) => !heard || run.state !== "queued") : open;
    return Array.from({ length: Math.ceil(asked.length / MAX_ASKED) }, (_, part) =>
      asked.slice(part * MAX_ASKED, (part + 1) * MAX_ASKED),
    );
  }
}
