/**
 * What the server expects of the run: when it starts and ends, as ranges, and the run to compare it with. Requested now
 * and then while the run is not over, and again when its state changes.
 */

import { ask } from "../../server/api.js";
import { isOver } from "../../server/catalog.js";
import { repeat } from "../../server/live.js";

const EVERY_MS = 5000;

/** Has `value` (null before the first response) and dispatches "change". */
export class Expected extends EventTarget {
  value = null;
  #at = 0;

  constructor(data) {
    super();
    const task = repeat(async () => {
      this.value = await ask(`/api/runs/${data.id}/outlook`);
      this.#at = performance.now();
      this.dispatchEvent(new Event("change"));
      return isOver(data.run) ? false : EVERY_MS;
    });
    let { state } = data.run;
    data.addEventListener("change", () => {
      if (data.run.state === state) return;
      state = data.run.state;
      task.wake();
    });
  }

  /** The range `key` ("starts", "ends") as of now, in seconds; null if unknown. */
  range(key) {
    const range = this.value?.[key];
    if (!range) return null;
    const passed = (performance.now() - this.#at) / 1000;
    return { low: Math.max(0, range.low - passed), high: Math.max(0, range.high - passed) };
  }
}
