/**
 * The queue with its three modes, the counts of queued and running runs, the workers with their troubles, and the data folder.
 */

import { h, say, show } from "../../base/dom.js";
import { bytes, labelWords, when, whole } from "../../base/format.js";
import { progressBar } from "../../base/widgets.js";
import { askAsAdmin } from "../../server/admin.js";
import { actButton } from "./acts.js";

/** Title of the button, and what the mode means. */
const MODES = {
  open: ["Open", "The queue is open: runs start as workers become free."],
  paused: ["Pause", "The queue is paused: no new runs start; running ones continue."],
  drained: ["Drain", "The queue is draining: new runs are refused; queued and running ones still finish."],
};
const FULL = 0.9; // from this share on, runs make room (jobs/worker/keeper.py)

/** `again()` refreshes the page. `update(queue)` takes the response of /api/admin. */
export function queuePanel(again) {
  const buttons = Object.entries(MODES).map(([mode, [title, meaning]]) => {
    const turn = async () => {
      update(await askAsAdmin("/api/admin/queue", { mode }));
      return { said: meaning };
    };
    return Object.assign(actButton(title, turn, again, { style: "button" }), { mode });
  });
  const workers = h("ul", { class: "workers", "aria-label": "Workers" });
  const bar = progressBar();
  bar.setAttribute("aria-label", "Share of the limit in use");
  const element = h(
    "section",
    { class: "card admin-queue", "aria-labelledby": "admin-queue" },
    h("h2", { id: "admin-queue" }, "Queue"),
    h("p", { "data-slot": "mode" }, "…"),
    h("div", { class: "actions", role: "group", "aria-label": "Mode of the queue" }, buttons),
    h("dl", { class: "stats" }, stat("Queued", "waiting"), stat("Running", "running"), stat("Workers", "workers")),
    workers,
    h("h3", {}, "Data folder"),
    h("p", { "data-slot": "folder" }),
    bar,
    h("p", { class: "quiet", "data-slot": "evicted" }),
  );

  function update(queue) {
    const { mode, machines, folder_bytes: used, budget_bytes: budget, evicted_at, evicted_runs } = queue;
    say(element, "mode", MODES[mode][1]);
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.mode === mode));
    say(element, "waiting", whole(queue.waiting));
    say(element, "waiting-more", `${whole(queue.requests)} of ${whole(queue.requests_most)} places; a study takes one`);
    say(element, "running", whole(queue.running));
    say(element, "workers", whole(machines.length));
    const lines = machines.length ? machines.map(line) : ["No worker is running. Queued runs will start when one connects."];
    const scarce = (worker) => !worker || Boolean(worker.trouble ?? worker.note);
    const items = lines.map((words, index) => h("li", { "data-scarce": String(scarce(machines[index])) }, words));
    workers.replaceChildren(...items);
    say(element, "folder", budget ? `${bytes(used)} of ${bytes(budget)} used.` : `${bytes(used)} used; there is no limit.`);
    show(bar, budget > 0);
    bar.set(budget ? Math.min(1, used / budget) : 0, used > FULL * budget ? "failed" : "running");
    const runs = `${whole(evicted_runs)} ${evicted_runs === 1 ? "run" : "runs"}`;
    const made = `Disk space was last freed on ${when(evicted_at)}: ${runs} lost their curves and trained network.`;
    say(element, "evicted", evicted_at ? made : "No run has been deleted to free disk space yet.");
  }
  return { element, update };
}

/** `lab-3: training 2 of 4 · its disk is full · load 3.1 on 4 cores · 41 GB of disk free` */
function line({ host, running, slots, trouble, note, labels, machine }) {
  const parts = [`${host}: training ${running} of ${slots}`, trouble, note, labelWords(labels)];
  if (machine) {
    const cores = `${machine.cores} ${machine.cores === 1 ? "core" : "cores"}`;
    parts.push(machine.load === null ? cores : `load ${machine.load.toFixed(1)} on ${cores}`);
    if (machine.disk_free_bytes !== null) parts.push(`${bytes(machine.disk_free_bytes)} of disk free`);
  }
  return parts.filter(Boolean).join(" · ");
}

const stat = (title, name) =>
  h("div", {}, h("dt", {}, title), h("dd", { "data-slot": name }, "–"), h("dd", { class: "quiet", "data-slot": `${name}-more` }));
