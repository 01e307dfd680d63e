/**
 * What this browser may still launch. The server is asked when the page opens, and again now and then if it has limits.
 */

import { frozen } from "../base/place.js";
import { ask } from "./api.js";
import { repeat } from "./live.js";

const EVERY_MS = 15_000;

/** Has `value`, the response of /api/share (null before it), and dispatches "change". */
class Allowance extends EventTarget {
  value = null;
  #disk_bytes = 0;
  #task = null;

  /** Starts to ask. */
  watch() {
    if (frozen) return; // nothing can be launched there
    this.#task ??= repeat(async () => {
      this.value = await ask(`/api/share?disk_bytes=${this.#disk_bytes}`);
      this.dispatchEvent(new Event("change"));
      return this.value.limited || this.value.refusal !== null || this.value.mode !== "open";
    }, EVERY_MS);
  }

  /** Asks again soon. */
  wake() {
    this.#task?.wake();
  }

  /** Says how many bytes the next run will keep. */
  expect(disk_bytes) {
    if (disk_bytes === this.#disk_bytes) return;
    this.#disk_bytes = disk_bytes;
    if (this.value?.limited) this.#task.wake();
  }

  /** Why `count` runs cannot be launched now; "" if they can, or nobody knows. */
  refusal(count = 1) {
    if (!this.value) return "";
    const { refusal, waiting_left: waiting, hourly_left: hourly } = this.value;
    if (refusal) return refusal;
    const few = (left, where, then = "") => `This launches ${count} runs, but you can only ${where} ${left} more${then}.`;
    if (waiting !== null && waiting < count) return few(waiting, "queue");
    if (hourly !== null && hourly < count) return few(hourly, "launch", " this hour");
    return "";
  }

  /** `You have left: 3 runs in the queue, 18 launches this hour.`; "" without limits. */
  words() {
    if (!this.value) return "";
    const { waiting_left: waiting, hourly_left: hourly, running_most: running } = this.value;
    const parts = [
      counted(waiting, "run in the queue", "runs in the queue"),
      counted(hourly, "launch this hour", "launches this hour"),
    ].filter(Boolean);
    if (!parts.length) return "";
    const at_once = running ? ` ${running === 1 ? "One of your runs trains" : `${running} of your runs train`} at a time.` : "";
    return `You have left: ${parts.join(", ")}.${at_once}`;
  }
}

const counted = (number, one, many) => (number === null ? "" : `${number} ${number === 1 ? one : many}`);

export const allowance = new Allowance();

document.addEventListener("onlybn:server", ({ detail: { mode } }) => {
  if (mode && allowance.value && mode !== allowance.value.mode) allowance.wake();
});

/** What a mode of the queue means for visitors; "" while it is open. */
export const modeWords = (mode) =>
  ({
    paused: "The queue is paused. Queued runs will start when it reopens.",
    drained: "The queue is draining: new runs are refused; queued ones still run.",
  })[mode] ?? "";

/**
 * Makes `button`, which launches `count` runs, say in advance why that would be refused. It keeps the focus, so that
 * the keyboard reaches the reason; `tell(reason)` shows it after a click.
 */
export function guard(button, count, tell) {
  const title = button.title;
  const update = () => {
    const why = allowance.refusal(count);
    button.setAttribute("aria-disabled", String(Boolean(why)));
    button.title = why || title;
  };
  button.addEventListener(
    "click",
    (event) => {
      const why = allowance.refusal(count);
      if (!why) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      tell(why);
    },
    true,
  );
  allowance.addEventListener("change", update);
  allowance.watch();
  update();
}
