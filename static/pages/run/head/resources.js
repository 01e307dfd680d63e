/**
 * The machine of a run and its use in one line: threads and processor, or GPU, and memory now and at most.
 */

import { isOver } from "../../../server/catalog.js";
import { bytes } from "../../../base/format.js";

/** The line; empty until the trainer has reported its machine. */
export function resources(run) {
  const { place, device, usage } = run;
  if (!place) return "";
  const over = isOver(run);
  return [
    where(place, device),
    taken(usage?.memory_bytes, usage?.peak_bytes, place.processes > 1 ? "memory of its first process" : "memory", over),
    taken(usage?.gpu_bytes, usage?.gpu_peak_bytes, "GPU memory", over),
  ]
    .filter(Boolean)
    .join(" · ");
}

function where({ processor, threads, processes }, device) {
  const count = `${threads} ${threads === 1 ? "thread" : "threads"}`;
  if (!device.endsWith("cpu")) return device;
  const of = processor ? ` on ${named(processor)}` : "";
  return processes > 1 ? `${processes} processes with ${count} each${of}` : `${count}${of}`;
}

/** The processor's name without its model numbers, which are in the capsule. */
const named = (processor) => processor.replace(/, family \d+ model \d+$/, "").replace(/\((R|TM)\)/gi, "");

function taken(now, most, what, over) {
  if (most === null || most === undefined) return "";
  return over ? `${what}: ${bytes(most)} at peak` : `${what}: ${bytes(now)}, ${bytes(most)} at peak`;
}
