/**
 * The runs that this one is compared with on its page: its twin, which differs in the policy alone, and the run that
 * the reader has pinned last, if it is of the same data set.
 */

import { nameOf } from "../catalog.js";
import { pins } from "../pins.js";

/** Has `twin` (a RunData or null) and `list` of {data, name, dash}; dispatches "change". */
export class Rivals extends EventTarget {
  twin = null;
  #pinned = null;

  constructor(data, feed, expected) {
    super();
    const changed = () => this.dispatchEvent(new Event("change"));
    const watch = (id) => {
      const rival = feed.watch(id);
      rival.addEventListener("change", changed);
      return rival;
    };
    const id = pins().find((pinned) => pinned !== data.id);
    if (id) this.#pinned = watch(id);
    expected.addEventListener("change", () => {
      const wanted = expected.value.twin?.id ?? null;
      if (wanted === (this.twin?.id ?? null)) return;
      if (this.twin && this.twin !== this.#pinned) feed.unwatch(this.twin.id);
      this.twin = wanted ? watch(wanted) : null;
      changed();
    });
    this.dataset = data.run.spec.dataset;
  }

  get list() {
    const [twin, pinned] = [this.twin, this.#pinned].map((rival) => (rival?.run ? rival : null));
    const rivals = [];
    if (twin) rivals.push({ data: twin, name: `twin: ${twin.run.spec.policy}`, dash: "dot" });
    if (pinned && pinned !== twin && pinned.run.spec.dataset === this.dataset)
      rivals.push({ data: pinned, name: `pinned: ${short(nameOf(pinned.run))}`, dash: "dash" });
    return rivals;
  }
}

const short = (name) => (name.length > 28 ? `${name.slice(0, 27)}…` : name);
