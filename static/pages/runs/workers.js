/**
 * Whether the queue is paused, and the workers: what each does, how busy its machine is, and its free disk space. One
 * line of text, because it arrives after the page and must not move it; several workers fold out of theirs.
 */

import { modeWords } from "../../server/allowance.js";
import { ask } from "../../server/api.js";
import { h, say, show, slot } from "../../base/dom.js";
import { bytes, labelWords, whole } from "../../base/format.js";
import { repeat } from "../../server/live.js";

const EVERY_MS = 6000;
const MOST = 20; // lines
const LITTLE_BYTES = 2e9; // of free disk: datasets and checkpoints may not fit

/** Two elements: a note, hidden while the queue is open, and the workers. */
export function workersLine() {
  const note = h("p", { class: "note", role: "status", hidden: true });
  const list = h("ul", { "aria-label": "Workers" });
  const several = h("details", { hidden: true }, h("summary", {}, h("span", { "data-slot": "words" })));
  const element = h("div", { class: "workers" }, several, list);
  repeat(async () => {
    const { workers, mode } = await ask("/api/workers");
    note.textContent = modeWords(mode);
    show(note, note.textContent !== "");
    const lines = workers.length ? workers.slice(0, MOST).map(line) : ["No worker is running. Queued runs will start when one connects."];
    if (workers.length > MOST) lines.push(`and ${whole(workers.length - MOST)} more workers`);
    while (list.children.length > lines.length) list.lastElementChild.remove();
    lines.forEach((words, index) => {
      const entry = list.children[index] ?? list.appendChild(h("li", {}, h("span", { "data-slot": "words" })));
      say(entry, "words", words);
      const { trouble, note, machine } = workers[index] ?? {};
      entry.dataset.scarce = String(Boolean(trouble ?? note) || (machine?.disk_free_bytes ?? Infinity) < LITTLE_BYTES);
      slot(entry, "words").title = workers[index]?.machine?.processor ?? "";
    });
    const folded = workers.length > 1;
    say(several, "words", sum(workers));
    show(several, folded);
    if (folded !== several.contains(list)) (folded ? several : element).append(list);
    return EVERY_MS;
  });
  return [note, element];
}

/** `3 workers: training 2 runs · 1 needs attention` */
function sum(workers) {
  const running = workers.reduce((total, worker) => total + worker.running, 0);
  const sick = workers.filter(({ trouble }) => trouble).length;
  const doing = `${whole(workers.length)} workers: ${running ? `training ${whole(running)} ${running === 1 ? "run" : "runs"}` : "idle"}`;
  return sick ? `${doing} · ${whole(sick)} ${sick === 1 ? "needs" : "need"} attention` : doing;
}

/** `Worker on lab-3: training 2 runs · labels a100, gpu · load 3.1 on 4 cores · 41 GB of disk free` */
function line({ host, running, machine, trouble, note, labels }) {
  const doing = running ? `training ${running} ${running === 1 ? "run" : "runs"}` : "idle";
  const parts = [`Worker on ${host}: ${doing}`, trouble, note, labelWords(labels)].filter(Boolean);
  if (machine) {
    const cores = `${machine.cores} ${machine.cores === 1 ? "core" : "cores"}`;
    parts.push(machine.load === null ? cores : `load ${machine.load.toFixed(1)} on ${cores}`);
    if (machine.disk_free_bytes !== null) parts.push(`${bytes(machine.disk_free_bytes)} of disk free`);
  }
  return parts.join(" · ");
}
