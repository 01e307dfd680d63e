/**
 * The runs that a run's page compares it with: its twin, which differs only in the policy, and the newest pinned run
 * with the same data set.
 */

import { ask } from "../../server/api.js";
import { nameOf } from "../../server/catalog.js";
import { pins } from "../../server/pins.js";

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
    expected.addEventListener("change", () => {
      const wanted = expected.value.twin?.id ?? null;
      if (wanted === (this.twin?.id ?? null)) return;
      if (this.twin && this.twin !== this.#pinned) feed.unwatch(this.twin.id);
      this.twin = wanted ? watch(wanted) : null;
      changed();
    });
    newestPin(data.run).then((id) => {
      if (!id) return;
      this.#pinned = watch(id);
      changed();
    });
  }

  get list() {
    const [twin, pinned] = [this.twin, this.#pinned].map((rival) => (rival?.run ? rival : null));
    const rivals = [];
    if (twin) rivals.push({ data: twin, name: `twin: ${twin.run.spec.policy}`, dash: "dot" });
    if (pinned && pinned !== twin)
      rivals.push({ data: pinned, name: `pinned: ${short(nameOf(pinned.run))}`, dash: "dash" });
    return rivals;
  }
}

/** The id of the newest pinned run with the same data set, other than `run`; null if none can be found. */
async function newestPin(run) {
  for (const id of pins()) {
    if (id === run.id) continue;
    const other = await ask(`/api/runs/${id}`).catch(() => null);
    if (other?.spec.dataset === run.spec.dataset) return id;
  }
  return null;
}

const short = (name) => (name.length > 28 ? `${name.slice(0, 27)}…` : name);
