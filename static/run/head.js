/**
 * The top of a run's page: what it is, where it stands, what one can do with it.
 */

import { cancel, runToken } from "../api.js";
import { hasTop5, isOver, nameOf, options, titleOf } from "../catalog.js";
import { disabledShare } from "../charts/disabled.js";
import { copyButton, h, say, show } from "../dom.js";
import { duration, NONE, percent, since, when, whole } from "../format.js";
import { toQuery } from "../spec.js";
import { badge, progressBar } from "../widgets.js";

/** `preview`: promise of the answer of /api/preview to the run's spec, or of null. */
export function head(data, feed, preview) {
  const { run } = data;
  const state = badge(run);
  const progress = progressBar();
  const element = h(
    "section",
    { class: "run-head", "aria-labelledby": "run-title" },
    h("div", { class: "run-title" }, h("h1", { id: "run-title" }, nameOf(run)), state),
    run.name ? h("p", { class: "quiet" }, titleOf(run.spec)) : null,
    actions(data, feed, preview),
    h("p", { class: "run-line", "data-slot": "line" }),
    progress,
    h("p", { class: "problem", "data-slot": "error", role: "alert", hidden: true }),
    h("p", { class: "note", "data-slot": "attempt", hidden: true }),
    h("p", { class: "note", "data-slot": "warning", hidden: true }),
    h(
      "dl",
      { class: "stats" },
      stat("Test accuracy", "test"),
      hasTop5(run.spec) ? stat("Top-5 test accuracy", "top5") : null,
      stat("Train accuracy", "train"),
      run.spec.norm.affine ? stat("Disabled features", "disabled", `|γ| < ${options.disabled_below}`) : null,
      stat("Trainable parameters", "trainable"),
    ),
  );
  data.addEventListener("change", () => {
    const { run } = data;
    state.update(run);
    progress.set(run.progress.share, run.state);
    say(element, "line", line(run));
    notices(element, data);
    numbers(element, data);
  });
  return element;
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

/** Where the run stands, as one line. */
function line(run) {
  const { step, total_steps, elapsed_s, eta_s } = run.progress;
  const steps = `step ${whole(step)} of ${whole(total_steps)}`;
  if (run.state === "queued") {
    const place =
      run.position === 1 ? "Next in the queue" : run.position ? `Number ${run.position} in the queue` : "In the queue";
    return `${place} · launched ${since(run.created_at)}${step ? ` · goes on from ${steps}` : ""}`;
  }
  if (run.state === "running") {
    const parts = [
      step ? `Epoch ${((step / total_steps) * run.spec.epochs).toFixed(1)} of ${run.spec.epochs}` : "Starting",
      steps,
      doing(run.progress),
      eta_s === null ? null : `${duration(eta_s)} left`,
    ];
    return parts.filter(Boolean).join(" · ");
  }
  const took = run.result?.seconds ?? elapsed_s;
  const ended = { finished: "Finished", failed: "Failed", cancelled: "Cancelled" }[run.state];
  return [`${ended} ${when(run.finished_at)}`, steps, took ? `took ${duration(took)}` : null]
    .filter(Boolean)
    .join(" · ");
}

/** What a running run does at the moment. */
function doing({ images_per_s, tested, analysed }) {
  if (analysed !== null) return `analysing the trained network: ${Math.round(analysed * 100)} %`;
  if (tested !== null) return `testing: ${Math.round(tested * 100)} % of the test images`;
  return images_per_s ? `${whole(images_per_s)} images a second` : null;
}

function notices(element, { run, log }) {
  const warning = log.findLast(({ kind }) => kind === "warning");
  show(say(element, "warning", warning?.message ?? ""), Boolean(warning));
  show(say(element, "error", run.error?.message ?? ""), Boolean(run.error));
  const again = run.attempt > 1 && !isOver(run);
  show(
    say(
      element,
      "attempt",
      again ? `This is attempt ${run.attempt}: the run was interrupted and goes on from its last checkpoint.` : "",
    ),
    again,
  );
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

/** Copies the run's command line, once the server has said it. */
function commandButton(preview) {
  let command = "";
  const button = copyButton("Copy command", () => command);
  button.disabled = true;
  preview.then((answer) => {
    command = answer?.cli ?? "";
    button.disabled = !command;
    button.title = command ? "" : "The server did not say the command; load the page again to ask once more.";
  });
  return button;
}

function actions(data, feed, preview) {
  const { run } = data;
  const stop = h("button", { type: "button", class: "button danger" }, "Cancel");
  const message = h("p", { class: "note", role: "alert", hidden: true });
  const command = commandButton(preview);
  const say_ = (text) => {
    message.textContent = text;
    show(message, Boolean(text));
  };
  stop.addEventListener("click", async () => {
    if (!runToken(run))
      return say_("Only the browser that launched this run can cancel it. You can clone it and launch your own.");
    stop.disabled = true;
    stop.textContent = "Cancelling…";
    try {
      await cancel(run);
      feed.wake();
    } catch (refusal) {
      say_(refusal.message);
      stop.disabled = false;
      stop.textContent = "Cancel";
    }
  });
  data.addEventListener("change", () => show(stop, !isOver(data.run)));
  const points = `/api/runs/${run.id}/points`;
  const capsule = h("a", { href: `/api/runs/${run.id}/capsule`, hidden: true }, "Trained network (capsule)");
  const findings = `/api/runs/${run.id}/findings`;
  const found = [
    h("a", { href: findings, download: `onlybn-${run.id}-findings.json`, hidden: true }, "Findings as JSON"),
    ...options.findings.map((table) =>
      h(
        "a",
        { href: `${findings}?format=csv&table=${table}`, download: `onlybn-${run.id}-${table}.csv`, hidden: true },
        `Findings as CSV: ${table}`,
      ),
    ),
  ];
  const next = h(
    "a",
    { class: "button", href: `/${toQuery({ ...run.spec, name: null, start: run.id })}`, hidden: true },
    "Start from this run",
  );
  data.addEventListener("change", () => {
    show(next, data.run.state === "finished");
    show(capsule, data.run.state === "finished");
    for (const link of found) show(link, data.run.findings);
  });
  return h(
    "div",
    { class: "run-actions" },
    h(
      "div",
      { class: "actions" },
      stop,
      h("a", { class: "button", href: `/${toQuery({ ...run.spec, name: null })}` }, "Clone"),
      next,
      copyButton("Copy link", () => location.href),
      command,
      h(
        "details",
        { class: "menu" },
        h("summary", { class: "button" }, "Download"),
        h(
          "div",
          {},
          h("a", { href: `${points}?format=csv`, download: `onlybn-${run.id}-points.csv` }, "Points as CSV"),
          h("a", { href: `${points}?format=json`, download: `onlybn-${run.id}-points.json` }, "Points as JSON"),
          h(
            "a",
            { href: `/api/runs/${run.id}/snapshots`, download: `onlybn-${run.id}-snapshots.json` },
            "Snapshots as JSON",
          ),
          found,
          capsule,
        ),
      ),
    ),
    message,
  );
}
