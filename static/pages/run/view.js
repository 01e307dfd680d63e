/**
 * The reader's choices on a run's page: γ or β, views, layer, moment. The URL holds them, so that a link shows the
 * same.
 */

import { rewrite } from "../../base/address.js";

const USUAL = { of: "gamma", now: "histogram", over: "heatmap", layer: null, step: null };
const CHOICES = {
  of: ["gamma", "beta"],
  now: ["histogram", "ridge", "disabled"],
  over: ["heatmap", "fan", "layers", "disabled"],
};

/** Dispatches "change" after each change. `layer` null: all layers together; `step` null: follows the newest moment. */
export class View extends EventTarget {
  constructor(search = location.search) {
    super();
    Object.assign(this, USUAL, read(new URLSearchParams(search)));
  }

  /** Changes some choices; `quietly`: without updating the URL. */
  set(patch, quietly = false) {
    const changed = Object.keys(patch).filter((key) => this[key] !== patch[key]);
    if (!changed.length && quietly) return;
    Object.assign(this, patch);
    if (!quietly) this.write();
    if (changed.length) this.dispatchEvent(new Event("change"));
  }

  /** The newest snapshot at or before the chosen moment. */
  snapshot({ snapshots }) {
    return snapshots[this.index(snapshots)];
  }

  index(snapshots) {
    if (this.step === null) return snapshots.length - 1;
    return Math.max(
      0,
      snapshots.findLastIndex(({ step }) => step <= this.step),
    );
  }

  /** A key for a chart's zoom: when it changes, the zoom is reset. */
  get scene() {
    return `${this.of} ${this.layer}`;
  }

  write() {
    const query = new URLSearchParams(location.search);
    for (const [key, usual] of Object.entries(USUAL)) {
      if (this[key] === usual) query.delete(key);
      else query.set(key, this[key]);
    }
    rewrite(query);
  }
}

/** The choices in the URL; invalid ones are left out. */
function read(query) {
  const said = {};
  for (const [key, choices] of Object.entries(CHOICES)) if (choices.includes(query.get(key))) said[key] = query.get(key);
  for (const key of ["layer", "step"]) if (/^\d{1,9}$/.test(query.get(key) ?? "")) said[key] = Number(query.get(key));
  if (said.layer >= 10_000) delete said.layer;
  return said;
}
