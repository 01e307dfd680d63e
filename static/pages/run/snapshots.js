/**
 * Snapshots of a run with all their layers, fetched when a view needs one, and cached.
 */

import { ask } from "../../server/api.js";

const KEPT = 80;
const RETRY_MS = 3000;

/** Dispatches "change" when a snapshot has arrived. */
export class Snapshots extends EventTarget {
  #id;
  #kept = new Map();
  #wanted = null;
  #busy = false;

  constructor(id) {
    super();
    this.#id = id;
  }

  /** The snapshot at `step`. Until it arrives: the last one that did, or null. */
  at(step) {
    const found = this.#kept.get(step);
    if (found) return found;
    this.#wanted = step;
    this.#fetch();
    return [...this.#kept.values()].at(-1) ?? null;
  }

  /** Fetches one snapshot at a time, always the latest wanted one: a dragged slider passes over many. */
  async #fetch() {
    if (this.#busy) return;
    this.#busy = true;
    while (this.#wanted !== null) {
      const step = this.#wanted;
      this.#wanted = null;
      try {
        this.#keep(step, await ask(`/api/runs/${this.#id}/snapshots/${step}`));
      } catch (refusal) {
        if (!refusal.passing) continue; // the server no longer has it; the feed brings the next
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
