/**
 * Snapshots of a run with all their layers, fetched when a view wants one and kept for a while.
 */

import { ask } from "../../server/api.js";

const KEPT = 80;
const RETRY_MS = 3000;

/** Dispatches "change" when a snapshot has come. */
export class Snapshots extends EventTarget {
  #id;
  #kept = new Map();
  #wanted = null;
  #busy = false;

  constructor(id) {
    super();
    this.#id = id;
  }

  /** The snapshot at `step`, or the last one that came while that is on its way; null before any has come. */
  at(step) {
    const found = this.#kept.get(step);
    if (found) return found;
    this.#wanted = step;
    this.#fetch();
    return [...this.#kept.values()].at(-1) ?? null;
  }

  /** One at a time, and always the last that was wanted: who drags the slider wants where it stops. */
  async #fetch() {
    if (this.#busy) return;
    this.#busy = true;
    while (this.#wanted !== null) {
      const step = this.#wanted;
      this.#wanted = null;
      try {
        this.#keep(step, await ask(`/api/runs/${this.#id}/snapshots/${step}`));
      } catch (refusal) {
        if (!refusal.passing) continue; // it has left the server; the feed brings the next
        this.#wanted ??= step;
        await new Promise((resolve) => setTimeout(resolve, Math.max(RETRY_MS, refusal.retry_ms)));
      }
    }
    this.#busy = false;
  }

  #keep(step, snapshot) {
    this.#kept.set(step, snapshot);
    if (this.#kept.size > KEPT) this.#kept.delete(this.#kept.keys().next().value);
    this.dispatchEvent(new Event("change"));
  }
}
