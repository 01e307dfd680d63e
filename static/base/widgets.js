/**
 * Small elements that several pages share: the badge of a state, a progress bar, what a run trains.
 */

import { h } from "./dom.js";
import { duration, percent } from "./format.js";

const STATE_WORDS = {
  queued: "Queued",
  running: "Running",
  finished: "Finished",
  failed: "Failed",
  cancelled: "Cancelled",
  unreadable: "Unreadable",
  missing: "Missing",
};

const PHASE_WORDS = {
  preparing: "Preparing",
  training: "Training",
  testing: "Testing",
  analysing: "Analysing",
};

export const stateWord = (state) => STATE_WORDS[state] ?? state;

/** A run's state, of a running one its phase, as a coloured word; `update(run)` changes it in place. */
export function badge(run) {
  const element = h("span", { class: "badge" });
  element.update = ({ state, cancel_requested, progress }) => {
    element.dataset.state = state;
    const leaving = cancel_requested && (state === "running" || state === "queued");
    const word = leaving ? "Cancelling" : (PHASE_WORDS[progress?.phase] ?? stateWord(state));
    if (element.textContent !== word) element.textContent = word;
  };
  element.update(run);
  return element;
}

/** Why no worker takes a run that waits, if so; `update(run)` changes it in place. */
export function waitsFor() {
  const element = h("span", { class: "waits-for quiet", hidden: true });
  element.update = ({ waits_for }) => {
    if (element.textContent !== (waits_for ?? "")) element.textContent = waits_for ?? "";
    element.hidden = !waits_for;
  };
  return element;
}

/** A run's progress in a few words. */
export function standing(run) {
  if (run.waits_for) return `needs a worker with the label ${run.label}`;
  if (run.state === "queued")
    return run.position
      ? run.position === 1
        ? "next in the queue"
        : `number ${run.position} in the queue`
      : "in the queue";
  if (run.state === "running") {
    const { share, eta_s } = run.progress;
    return eta_s === null || eta_s === undefined ? percent(share, 0) : `${percent(share, 0)} · ${duration(eta_s)} left`;
  }
  return run.top1 === null ? "no accuracy yet" : `test accuracy ${percent(run.top1)}`;
}

/** A thin progress bar with `set(share, label)`. */
export function progressBar() {
  const fill = h("span");
  const bar = h(
    "div",
    { class: "progress", role: "progressbar", "aria-label": "Progress", "aria-valuemin": 0, "aria-valuemax": 100 },
    fill,
  );
  bar.set = (share, state) => {
    bar.setAttribute("aria-valuenow", Math.round(share * 100));
    bar.style.setProperty("--share", share);
    bar.dataset.state = state;
  };
  return bar;
}

/** A labelled field whose text can be copied by hand. */
export function field(label, value, rows = 1) {
  const text = h("textarea", { class: "by-hand", readonly: true, rows, spellcheck: "false" });
  text.value = value;
  text.addEventListener("focus", () => text.select());
  return { element: h("label", { class: "sheet-field" }, label, text), text };
}
