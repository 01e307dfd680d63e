/**
 * The top of a run's page: its name, its progress, and its buttons.
 */

import { runToken } from "../../../server/api.js";
import { hasTop5, isOver, nameOf, options, titleOf } from "../../../server/catalog.js";
import { disabledShare } from "../../../charts/disabled.js";
import { h, say, show, slot } from "../../../base/dom.js";
import { day, duration, epochOf, NONE, percent, range, since, when, whole } from "../../../base/format.js";
import { browserNote, exampleNote } from "../../../base/mark.js";
import { notifySwitch } from "../../../site/progress.js";
import { term } from "../../../site/term.js";
import { webhookLine } from "../../../site/webhook.js";
import { badge, progressBar } from "../../../base/widgets.js";
import { keptRules, keptUntil, keptWords } from "../../../server/kept.js";
import { actions } from "./actions.js";
import { labels } from "./labels.js";
import { reportButton } from "./report.js";
import { resources } from "./resources.js";
import { story } from "./story.js";

/**
 * `preview`: promise of the response of /api/preview to the run's spec, or of null; `expected`, `rivals`: see
 * ../outlook.js, ../rivals.js.
 */
export function head(data, feed, preview, expected, rivals) {
  const { run } = data;
  const state = badge(run);
  const progress = progressBar();
  const notify = notifySwitch();
  const webhook = webhookLine(() => ({ kind: "run", id: data.run.id, token: runToken(data.run), over: isOver(data.run) }));
  data.addEventListener("change", webhook.update);
  const fromBrowser = browserNote(run);
  const title = h("h1", { id: "run-title" }, nameOf(run));
  const element = h(
    "section",
    { class: "run-head", "aria-labelledby": "run-title" },
    h("div", { class: "run-title" }, title, state),
    run.name ? h("p", { class: "quiet" }, titleOf(run.spec), " ", reportButton(run)) : null,
    labels(data, title),
    exampleNote(run),
    fromBrowser,
    h("p", { class: "story", "data-slot": "story" }),
    actions(data, feed, preview),
    h("p", { class: "run-line", "data-slot": "line" }),
    progress,
    notify,
    webhook,
    h("p", { class: "quiet run-resources", "data-slot": "resources", hidden: true }),
    h("p", { class: "quiet run-resources", "data-slot": "kept", hidden: true }),
    h("p", { class: "problem", "data-slot": "error", role: "alert", hidden: true }),
    h("p", { class: "quiet run-resources", "data-slot": "attempt", hidden: true }),
    h("p", { class: "note", "data-slot": "warning", hidden: true }),
    h(
      "dl",
      { class: "stats" },
      stat(term("test-accuracy", "Test accuracy"), "test"),
      hasTop5(run.spec) ? stat("Top-5 test accuracy", "top5") : null,
      stat("Train accuracy", "train"),
      run.spec.norm.affine ? stat(term("disabled", "Disabled features"), "disabled", `|γ| < ${options.disabled_below}`) : null,
      stat(term("parameters", "Trainable parameters"), "trainable"),
    ),
  );
  let rules = null;
  const tellKept = () => show(say(element, "kept", kept(data.run, rules)), Boolean(kept(data.run, rules)));
  keptRules().then((said) => {
    rules = said;
    tellKept();
  });
  const tell = () => {
    say(element, "line", line(data.run, expected));
    write(slot(element, "story"), story(facts(data, expected, rivals)));
  };
  data.addEventListener("change", () => {
    const { run } = data;
    state.update(run);
    fromBrowser?.update(run);
    progress.set(run.progress.share, run.state);
    notify.update(!isOver(run));
    notices(element, data);
    numbers(element, data);
    const taken = resources(run);
    show(say(element, "resources", taken), Boolean(taken));
    tellKept();
    tell();
  });
  expected.addEventListener("change", tell);
  rivals.addEventListener("change", tell);
  return element;
}

/** Until when the run is kept; "" where nothing is deleted. */
function kept(run, rules) {
  if (run.pinned && keptWords(rules)) return "Pinned by the operator: it is never deleted.";
  const until = keptUntil(run, rules);
  if (!until) return "";
  const earlier = rules.budget_mb && !run.lost ? "; if the disk fills up, its curves and trained network are deleted earlier" : "";
  return `Kept until ${day(until)}${earlier}.`;
}

/** The facts for the run's story. */
function facts({ run, points, snapshots, layers }, expected, { twin }) {
  const last = snapshots.at(-1);
  return {
    run,
    off: last && layers?.length ? disabledShare(last, layers) : null,
    epoch: points.test.at(-1)?.epoch ?? null,
    twin: twin?.run ? { run: twin.run, tests: twin.points.test } : null,
    asMany: expected.value?.twin?.as_many ?? false,
    starts: expected.range("starts"),
    slots: expected.value?.slots ?? null,
    paused: expected.value?.paused ?? false,
  };
}

/** Writes texts and links into `element` if they differ from its content. */
function write(element, parts) {
  const text = parts.map((part) => part.text ?? part).join("");
  if (element.textContent === text) return;
  element.replaceChildren(...parts.map((part) => (part.href ? h("a", { href: part.href }, part.text) : part)));
}

function stat(label, name, more = "") {
  return h(
    "div",
    {},
    h("dt", {}, label),
    h("dd", { "data-slot": name }, NONE),
    h("dd", { class: "quiet", "data-slot": `${name}-more` }, more),
  );
}

/** The basis of a range, in words. */
const BASES = { "measured here": "based on earlier runs here", assumed: "a rough estimate: nothing has finished here yet" };

/** The run's progress as one line. */
function line(run, expected) {
  const { step, total_steps, elapsed_s, eta_s } = run.progress;
  const ends = expected.range("ends");
  const steps = `step ${whole(step)} of ${whole(total_steps)}`;
  if (run.state === "queued") {
    const place =
      run.position === 1 ? "Next in the queue" : run.position ? `Number ${run.position} in the queue` : "In the queue";
    const parts = [
      place,
      `launched ${since(run.created_at)}`,
      step ? `resumes from ${steps}` : null,
      ends ? `done in ${range(ends)}, ${BASES[expected.value.basis]}` : null,
    ];
    return parts.filter(Boolean).join(" · ");
  }
  if (run.state === "running") {
    const parts = [
      step ? `Epoch ${epochOf((step / total_steps) * run.spec.epochs)} of ${run.spec.epochs}` : null,
      step ? steps : null,
      run.unattended ? "its worker does not respond; the next free worker will take over" : doing(run.progress),
      ends ? `${range(ends)} left` : eta_s === null ? null : `${duration(eta_s)} left`,
    ];
    return parts.filter(Boolean).join(" · ");
  }
  const took = run.result?.seconds ?? elapsed_s;
  const ended = { finished: "Finished", failed: "Failed", cancelled: "Cancelled" }[run.state];
  return [`${ended} ${when(run.finished_at)}`, steps, took ? `took ${duration(took)}${run.browser ? " in the browser" : ""}` : null]
    .filter(Boolean)
    .join(" · ");
}

/** The present activity of a running run. */
function doing({ images_per_s, tested, analysed }) {
  if (analysed !== null) return `analysing the trained network: ${Math.round(analysed * 100)}%`;
  if (tested !== null) return `testing: ${Math.round(tested * 100)}% of the test images`;
  return images_per_s ? `${whole(images_per_s)} images per second` : null;
}

function notices(element, { run, log }) {
  const warning = log.findLast(({ kind }) => kind === "warning");
  show(say(element, "warning", warning?.message ?? ""), Boolean(warning) && !run.lost?.curves);
  show(say(element, "error", run.error?.message ?? ""), Boolean(run.error));
  const again = run.attempt > 1 && run.state === "running";
  const from = run.began_at;
  const begun = from === 0 ? "Started again from the beginning." : `Resumed from the checkpoint at step ${whole(from)}.`;
  const how = run.browser ? "Verified once more." : from === null ? "Resuming…" : begun;
  show(say(element, "attempt", again ? `${how} This is attempt ${run.attempt}.` : ""), again);
}

function numbers(element, { run, points, snapshots, layers }) {
  const test = run.result?.top1 ?? run.top1;
  const start = points.test[0]?.top1;
  say(element, "test", percent(test));
  say(element, "test-more", start !== undefined && test !== null ? `${percent(start)} at the start` : "");
  say(element, "top5", percent(run.result?.top5 ?? points.test.at(-1)?.top5));
  say(element, "train", percent(points.train.at(-1)?.top1));
  const last = snapshots.at(-1);
  if (last && layers?.length) say(element, "disabled", percent(disabledShare(last, layers)));
  say(element, "trainable", whole(run.counts.trainable));
  say(element, "trainable-more", `${percent(run.counts.trainable / run.counts.total)} of ${whole(run.counts.total)}`);
}
