/**
 * The workers, a line for each: what it does, how busy its machine is, and its free disk space.
 */

import { ask } from "../../server/api.js";
import { h, say, slot } from "../../base/dom.js";
import { bytes, whole } from "../../base/format.js";
import { repeat } from "../../server/live.js";

const EVERY_MS = 6000;
const MOST = 6; // lines
const LITTLE_BYTES = 2e9; // of free disk: datasets and checkpoints may not fit

export function workersLine() {
  const list = h("ul", { class: "workers", "aria-label": "Workers" });
  repeat(async () => {
    const { workers } = await ask("/api/workers");
    const lines = workers.length ? workers.slice(0, MOST).map(line) : ["No worker is running: what waits begins once one does."];
    if (workers.length > MOST) lines.push(`and ${whole(workers.length - MOST)} more workers`);
    while (list.children.length > lines.length) list.lastElementChild.remove();
    lines.forEach((words, index) => {
      const entry = list.children[index] ?? list.appendChild(h("li", {}, h("span", { "data-slot": "words" })));
      say(entry, "words", words);
      const { trouble, note, machine } = workers[index] ?? {};
      entry.dataset.scarce = String(Boolean(trouble ?? note) || (machine?.disk_free_bytes ?? Infinity) < LITTLE_BYTES);
      slot(entry, "words").title = workers[index]?.machine?.processor ?? "";
    });
    return EVERY_MS;
  });
  return list;
}

/** `Worker on lab-3: training 2 runs · load 3.1 on 4 cores · 41 GB of disk free` */
function line({ host, running, machine, trouble, note }) {
  const doing = running ? `training ${running} ${running === 1 ? "run" : "runs"}` : "idle";
  const parts = [`Worker on ${host}: ${doing}`, trouble, note].filter(Boolean);
  if (machine) {
    const cores = `${machine.cores} ${machine.cores === 1 ? "core" : "cores"}`;
    parts.push(machine.load === null ? cores : `load ${machine.load.toFixed(1)} on ${cores}`);
    if (machine.disk_free_bytes !== null) parts.push(`${bytes(machine.disk_free_bytes)} of disk free`);
  }
  return parts.join(" · ");
}
