/**
 * This browser's queued runs, if there are several. Dragging or buttons change their order. They trade their own places
 * in the queue, so nobody else's run waits longer.
 */

import { ask, orderRuns, runToken } from "../../server/api.js";
import { nameOf, titleOf } from "../../server/catalog.js";
import { announce, h, show } from "../../base/dom.js";
import { repeat } from "../../server/live.js";
import { toast } from "../../base/toast.js";
import { waitsFor } from "../../base/widgets.js";

const EVERY_MS = 3000;
const MOST = 200; // runs in one response, and in one new order

/** Title, words for a screen reader, and the new index among `runs` of the run at index `at`. */
const MOVES = [
  ["First", "Move to the front", (at, runs) => runs.findIndex(alike(runs[at]))],
  ["Up", "Move up", (at) => at - 1],
  ["Down", "Move down", (at) => at + 1],
];

/** Whether two runs can trade places: the queue always serves single runs before runs of studies. */
const alike = (run) => (other) => Boolean(other.study) === Boolean(run.study);

/** Calls `moved()` after the server has changed the order. `look(runs)` tells of runs that the page has seen. */
export function ownQueue(moved) {
  const list = h("ol", { class: "own-queue" });
  const element = h(
    "section",
    { class: "own-queue-runs", hidden: true, "aria-labelledby": "own-queue-title" },
    h("h2", { id: "own-queue-title" }, "Your queued runs"),
    h("p", { class: "quiet" }, "You can reorder your own runs; other people’s keep their place."),
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-labelledby": "own-queue-title" }, list),
  );
  const entries = new Map();
  let runs = [];
  let asked = 0; // moves without a response yet
  let turn = Promise.resolve();

  const task = repeat(async () => {
    const answer = await ask(`/api/runs?state=queued&limit=${MOST}`);
    if (!asked) draw(answer.runs.filter(runToken).sort((a, b) => a.position - b.position));
    return runs.length ? EVERY_MS : false;
  });

  function draw(now) {
    runs = now;
    for (const id of entries.keys()) if (!runs.some((run) => run.id === id)) entries.delete(id);
    const wanted = runs.map((run, at) => {
      if (!entries.has(run.id)) entries.set(run.id, draggable(entry(run, move), run.id));
      entries.get(run.id).update(run, allowed(at));
      return entries.get(run.id);
    });
    const focused = document.activeElement;
    if (wanted.some((one, at) => list.children[at] !== one) || list.children.length !== wanted.length) list.replaceChildren(...wanted);
    if (list.contains(focused)) focused.focus(); // a button loses the focus when its row moves
    show(element, runs.length > 1);
  }

  const possible = (at, to) => {
    const there = to(at, runs);
    return there !== at && there in runs && alike(runs[at])(runs[there]);
  };
  const allowed = (at) => MOVES.map(([, , to]) => possible(at, to));

  let dragged = null; // the id of a run

  /** Lets `element` be dragged to the place of another. */
  function draggable(element, id) {
    const place = (of) => runs.findIndex((run) => run.id === of);
    const here = () => place(id);
    const fits = () => dragged !== null && place(dragged) >= 0 && possible(place(dragged), here);
    element.draggable = true;
    element.addEventListener("dragstart", (event) => {
      dragged = id;
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", id); // some browsers drag nothing that has no data
    });
    element.addEventListener("dragend", () => {
      dragged = null;
      delete element.dataset.over;
    });
    element.addEventListener("dragover", (event) => {
      if (!fits()) return;
      event.preventDefault();
      element.dataset.over = "";
    });
    element.addEventListener("dragleave", () => delete element.dataset.over);
    element.addEventListener("drop", (event) => {
      event.preventDefault();
      delete element.dataset.over;
      if (fits()) move(dragged, here);
    });
    return element;
  }

  /** Queues a move: after quick clicks the moves happen one after the other. */
  function move(id, to) {
    asked += 1;
    turn = turn.then(() => moveNow(id, to)).finally(() => {
      asked -= 1;
      if (!asked) task.wake();
    });
  }

  async function moveNow(id, to) {
    const before = runs;
    const at = runs.findIndex((run) => run.id === id);
    if (at < 0 || !possible(at, to)) return; // it has started, or is there already
    const run = runs[at];
    const others = runs.filter((one) => one !== run);
    const wanted = [...others.slice(0, to(at, before)), run, ...others.slice(to(at, before))];
    draw(placed(wanted, before));
    try {
      const waiting = await orderRuns(wanted);
      draw(placed(waiting.map((other) => wanted.find((one) => one.id === other)), before));
      const now = runs.find((one) => one.id === id);
      announce(now ? `${wholeName(run)} is now number ${now.position} in the queue.` : `${wholeName(run)} is no longer queued.`);
      moved();
    } catch (refusal) {
      draw(before);
      toast(refusal.message, { wrong: true });
    }
  }

  return {
    element,
    look(seen) {
      if (!runs.length && seen.some((run) => run.state === "queued" && runToken(run))) task.wake();
    },
  };
}

/** `runs` with the queue places of `before`, assigned in the order of `runs`. */
function placed(runs, before) {
  const places = before.map(({ position }) => position).sort((a, b) => a - b);
  return runs.map((run, index) => ({ ...run, position: places[index] }));
}

function entry(run, move) {
  let may = [];
  const place = h("span", { class: "own-queue-place" });
  const buttons = MOVES.map(([title, words, to], index) =>
    h(
      "button",
      {
        type: "button",
        class: "button small",
        "aria-label": `${words}: ${wholeName(run)}`,
        onclick: () => may[index] && move(run.id, to),
      },
      title,
    ),
  );
  const name = h("span", {}, h("a", { href: run.url, title: titleOf(run.spec) }, nameOf(run)), run.name ? null : h("span", { class: "quiet" }, ` ${which(run)}`));
  const handle = h("span", { class: "own-queue-handle", "aria-hidden": "true", title: "Drag to another place" }, "⠿");
  const waits = waitsFor();
  const element = h("li", {}, handle, place, h("span", {}, name, waits), h("span", { class: "own-queue-moves" }, buttons));
  /** `now`: whether each of MOVES is possible. A disabled button keeps the focus (aria-disabled). */
  element.update = ({ position, waits_for }, now) => {
    may = now;
    waits.update({ waits_for });
    if (place.textContent !== String(position)) place.textContent = position;
    buttons.forEach((button, index) => button.setAttribute("aria-disabled", String(!may[index])));
  };
  return element;
}

const which = ({ spec }) => `replicate ${spec.replicate}`;
const wholeName = (run) => (run.name ? run.name : `${nameOf(run)}, ${which(run)}`);
