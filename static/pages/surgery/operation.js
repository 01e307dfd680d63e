/**
 * The threshold and the edits of the network so far, with undo and redo; the address holds them.
 * Dispatches "change" after every change, also while a slider is moving.
 */

import { rewrite } from "../../base/address.js";
import { count, fromText, operate, toText } from "./edits.js";

const KEPT = 200;
export const MAX_EDITS = 199; // the threshold counts as one more

export class Operation extends EventTarget {
  #states;
  #at = 0;
  #moving = null;

  /** @param {import("./edits.js").Layer[]} layers */
  constructor(layers, search) {
    super();
    this.layers = layers;
    const query = new URLSearchParams(search);
    const eps = Number(query.get("eps"));
    const edits = fromText(query.get("edits") ?? "", layers).slice(0, MAX_EDITS);
    this.#states = [{ eps: eps > 0 && eps <= 100 ? eps : 0, edits }];
    this.layer = layers.some(({ name }) => name === query.get("layer")) ? query.get("layer") : layers[0].name;
    this.#work();
  }

  /** The present threshold and edits. */
  get state() {
    return this.#moving ?? this.#states[this.#at];
  }

  get place() {
    return this.layers.findIndex(({ name }) => name === this.layer);
  }

  get canUndo() {
    return this.#at > 0;
  }

  get canRedo() {
    return this.#at < this.#states.length - 1;
  }

  /** Shows a threshold while the slider moves, without a step to undo. */
  move(eps) {
    this.#moving = { ...this.#states[this.#at], eps };
    this.#changed();
  }

  setThreshold(eps) {
    this.#push({ ...this.#states[this.#at], eps });
  }

  edit(edit) {
    const { eps, edits } = this.#states[this.#at];
    if (edits.length < MAX_EDITS) this.#push({ eps, edits: [...edits, edit] });
  }

  remove(index) {
    const { eps, edits } = this.#states[this.#at];
    this.#push({ eps, edits: edits.filter((_, k) => k !== index) });
  }

  resetAll() {
    this.#push({ eps: 0, edits: [] });
  }

  undo() {
    this.#go(-1);
  }

  redo() {
    this.#go(1);
  }

  choose(layer) {
    this.layer = layer;
    this.#changed();
  }

  #go(by) {
    this.#moving = null;
    this.#at = Math.min(Math.max(0, this.#at + by), this.#states.length - 1);
    this.#changed();
  }

  #push(state) {
    this.#moving = null;
    if (JSON.stringify(state) === JSON.stringify(this.#states[this.#at])) return this.#changed();
    this.#states = [...this.#states.slice(0, this.#at + 1), state].slice(-KEPT);
    this.#at = this.#states.length - 1;
    this.#changed();
  }

  #work() {
    this.gammas = operate(this.layers, this.state);
    this.totals = count(this.layers, this.gammas);
  }

  #changed() {
    this.#work();
    if (!this.#moving) this.#write();
    this.dispatchEvent(new Event("change"));
  }

  #write() {
    const { eps, edits } = this.state;
    const query = new URLSearchParams({ run: new URLSearchParams(location.search).get("run") });
    if (eps) query.set("eps", eps);
    if (edits.length) query.set("edits", toText(edits));
    if (this.layer !== this.layers[0].name) query.set("layer", this.layer);
    rewrite(query);
  }
}
