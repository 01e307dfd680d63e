/**
 * What the page shows, which its address holds: the picture, as which task it is seen, whose γ and β are in the network,
 * and the layer. Dispatches "change" after every change.
 */

import { rewrite } from "../../base/address.js";
import { options } from "../../server/catalog.js";

export class TasksView extends EventTarget {
  /** `tasks`: from /api/packs; `layers`: of /api/runs/{id}/parameters. */
  constructor(tasks, layers, search) {
    super();
    this.tasks = tasks;
    this.layers = layers;
    const query = new URLSearchParams(search);
    const one = (key, usual = 0) => Math.max(0, tasks.findIndex(({ run }) => run === query.get(key))) || usual;
    const eps = Number(query.get("eps"));
    this.from = one("from");
    this.gamma = one("gamma");
    this.seen = one("seen", this.gamma);
    this.image = Math.max(0, Math.round(Number(query.get("image"))) || 0);
    this.layer = layers.some(({ name }) => name === query.get("layer")) ? query.get("layer") : layers[0].name;
    this.first = 0;
    this.eps = eps > 0 && eps <= 100 ? eps : options.disabled_below;
  }

  /** Takes some of the values. */
  change(values) {
    if ("layer" in values) this.first = 0;
    Object.assign(this, values);
    this.#write();
    this.dispatchEvent(new Event("change"));
  }

  #write() {
    const query = new URLSearchParams({ runs: this.tasks.map(({ run }) => run).join(",") });
    const { tasks } = this;
    if (this.image) query.set("image", this.image);
    for (const key of ["from", "gamma", "seen"]) if (this[key]) query.set(key, tasks[this[key]].run);
    if (this.gamma && !this.seen) query.set("seen", tasks[0].run);
    if (this.layer !== this.layers[0].name) query.set("layer", this.layer);
    if (this.eps !== options.disabled_below) query.set("eps", this.eps);
    rewrite(query);
  }
}
