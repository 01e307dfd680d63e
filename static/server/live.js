/**
 * The page's only clock. Everything that must stay fresh is a task here; nothing else in a page polls.
 *
 * After each turn a task says whether it has more to do. The clock stops when no task has more, and slows down while
 * the server cannot be reached. While the page is hidden only tasks that ask for it go on, slowly. It resumes by itself.
 */

import { Refusal } from "./api.js";

const BACKOFF_MS = [1000, 2000, 4000, 5000];
const TOO_MANY = 429;
const TOO_MANY_MS = 10_000; // used when the response does not say how long to wait
const MIN_INTERVAL_MS = 50;
const HIDDEN_MS = 15_000;

const tasks = new Set();
let timer = null;
let failures = 0;
let turning = false;

/**
 * Dispatches "change" when the connection is lost or restored (`lost`), and when the server answers that it has too
 * many requests: then no request is sent before `waits_until`, in milliseconds of `performance.now()`; 0: no wait.
 */
export const connection = new (class extends EventTarget {
  lost = false;
  waits_until = 0;

  set(lost, waits_until) {
    if (lost === this.lost && waits_until === this.waits_until) return;
    Object.assign(this, { lost, waits_until });
    this.dispatchEvent(new Event("change"));
  }
})();

/**
 * Runs `turn()` at once and then every `interval_ms` for as long as it returns a truthy value; a number sets the next
 * interval. When it returns false the task sleeps until `wake()` is called or the page becomes visible again. `hidden`:
 * it goes on every 15 s while the page is hidden.
 */
export function repeat(turn, interval_ms = 1000, { hidden = false } = {}) {
  const task = { turn, interval_ms, hidden, due: 0, asleep: false, woken: false };
  tasks.add(task);
  schedule(0);
  return {
    wake() {
      wake(task);
      schedule(0);
    },
    stop() {
      tasks.delete(task);
    },
  };
}

function wake(task) {
  Object.assign(task, { due: 0, asleep: false, woken: true });
}

/** Sets the timer, but never before the time until which the server wants no requests. */
function schedule(delay) {
  clearTimeout(timer);
  const patience = connection.waits_until - performance.now();
  const going = !document.hidden || [...tasks].some(isDue);
  timer = going ? setTimeout(tick, Math.max(delay, patience, document.hidden ? HIDDEN_MS : 0)) : null;
}

/** Whether a task may have a turn as the page is now, shown or hidden. */
const isDue = ({ asleep, hidden }) => !asleep && (hidden || !document.hidden);

async function tick() {
  if (turning) return;
  turning = true;
  const now = performance.now();
  const due = [...tasks].filter((task) => isDue(task) && task.due <= now + 20);
  for (const task of due) task.woken = false;
  const results = await Promise.allSettled(due.map((task) => task.turn()));
  turning = false;
  const passing = results.filter(({ status, reason }) => status === "rejected" && isPassing(reason)).map(({ reason }) => reason);
  const lost = passing.some(({ status }) => status !== TOO_MANY);
  results.forEach((result, index) => settle(due[index], result));
  failures = lost ? failures + 1 : 0;
  if (due.length) connection.set(lost, patience(passing));
  next(lost);
}

/** The time until which the server, or a proxy before it, wants no requests; 0: no wait. */
function patience(refusals) {
  const waits = refusals.filter(({ status }) => status === TOO_MANY).map(({ retry_ms }) => retry_ms || TOO_MANY_MS);
  return waits.length ? performance.now() + Math.max(...waits) : 0;
}

function settle(task, result) {
  if (!tasks.has(task) || task.woken) return; // during this turn it was stopped, or wake() asked for another one
  if (result.status === "rejected") {
    if (!isPassing(result.reason)) {
      task.asleep = true;
      console.error(result.reason);
    }
    return;
  }
  if (!result.value) task.asleep = true;
  if (typeof result.value === "number") task.interval_ms = Math.max(MIN_INTERVAL_MS, result.value);
  task.due = performance.now() + task.interval_ms;
}

function next(lost) {
  const waiting = [...tasks].filter(isDue).map((task) => task.due);
  if (!waiting.length) return;
  const soonest = Math.max(0, Math.min(...waiting) - performance.now());
  schedule(lost ? BACKOFF_MS[Math.min(failures, BACKOFF_MS.length) - 1] : soonest);
}

const isPassing = (reason) => reason instanceof Refusal && reason.passing;

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return schedule(HIDDEN_MS);
  tasks.forEach(wake);
  schedule(0);
});
