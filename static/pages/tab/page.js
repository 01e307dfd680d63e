/**
 * Trains a network in this tab: the spec stands behind # in the address, and nothing leaves the computer.
 */

import { curves } from "../../charts/curves.js";
import { disabledOverTime, disabledShare } from "../../charts/disabled.js";
import { histogram } from "../../charts/histogram.js";
import { h, say, show } from "../../base/dom.js";
import { bytes, duration, epochOf, percent, whole } from "../../base/format.js";
import { frozen } from "../../base/place.js";
import { badge, progressBar } from "../../base/widgets.js";
import { openKernels } from "../../engine/kernels.js";
import { keptTrainings } from "../../engine/kept.js";
import { completed, obstacle } from "../../engine/spec.js";
import { policyOf, titleOf } from "../../server/catalog.js";
import { shareButton } from "../../site/share.js";
import { fromHash, idOf, toHash } from "../../server/tab.js";
import { TabTraining } from "./data.js";
import { keeping } from "./keep.js";

const SMALL = { architecture: "resnet-14", dataset: "digits", epochs: 30 };
const EXAMPLES = [
  ["Only γ and β", { ...SMALL, policy: "batchnorm" }],
  ["As many random weights", { ...SMALL, policy: "random-2" }],
];

export function mount(element) {
  const page = element.querySelector(".tab-page");
  begin(page).catch((error) => page.replaceChildren(blank("This cannot be trained here", error.message)));
  addEventListener("hashchange", () => location.reload());
}

async function begin(page) {
  const asked = fromHash(location.hash);
  if (!asked) return page.replaceChildren(blank("Train in this tab", "Your browser trains the network: no queue, and nothing leaves your computer. Begin with one of these, on digits."), await others());
  const why = obstacle(asked);
  if (why) throw new Error(why);
  const spec = completed(await openKernels(), asked, policyOf(asked.policy).norm);
  const training = new TabTraining(idOf(spec), spec);
  const known = await training.recall();
  page.replaceChildren(heading(training), panels(training), await others(training.id));
  training.dispatchEvent(new Event("change"));
  if (!known) training.start();
}

function blank(title, words) {
  return h(
    "section",
    { class: "blank" },
    h("h1", {}, title),
    h("p", {}, words),
    h("p", { class: "actions" }, EXAMPLES.map(([title, spec]) => h("a", { class: "button", href: `/tab${toHash(spec)}` }, title)), frozen ? null : h("a", { class: "button", href: "/train" }, "Another network"), shareButton()),
  );
}

function heading(training) {
  const { spec } = training.run;
  document.title = `${titleOf(spec)} · OnlyBN`;
  const state = badge(training.run);
  const progress = progressBar();
  const stop = button("Stop", "button danger", () => training.stop());
  const go = button("Continue", "button primary", () => training.start());
  const again = button("Train again", "button", async () => {
    await training.forget();
    location.reload();
  });
  const save = button("Download the capsule", "button", () => download(training));
  const kept = frozen ? {} : keeping(training);
  const player = h("a", { class: "button primary", href: `/player/?tab=${training.id}` }, "Open in the player");
  const element = h(
    "section",
    { class: "run-head", "aria-labelledby": "tab-title" },
    h("div", { class: "run-title" }, h("h1", { id: "tab-title" }, titleOf(spec)), state),
    h("p", { class: "quiet" }, `Trained by this browser. Nothing leaves your computer${frozen ? "" : " unless you keep it on the server"}; closing the page pauses the training.`),
    h("div", { class: "actions" }, stop, go, player, shareButton("Share", "button", () => training.capsule && { capsule: () => training.capsule }), kept.button, save, again, frozen ? null : h("a", { class: "button", href: `/train?${query(spec)}` }, "Change and run again")),
    h("p", { class: "run-line", "data-slot": "line", role: "status" }),
    progress,
    kept.line,
    kept.problem,
    h("p", { class: "problem", "data-slot": "error", role: "alert", hidden: true }),
    h("dl", { class: "stats" }, stat("Test accuracy", "test"), stat("Train accuracy", "train"), stat("Disabled features", "disabled"), stat("Trainable parameters", "trainable")),
  );
  training.addEventListener("change", () => {
    const { run, points, snapshots, layers, loaded } = training;
    state.update(run);
    progress.set(run.progress.share, run.state);
    show(stop, run.state === "running");
    show(go, run.state === "cancelled" || run.state === "failed");
    for (const one of [save, player]) show(one, Boolean(training.capsule));
    show(again, run.state !== "running");
    say(element, "line", line(run, loaded));
    show(say(element, "error", run.error?.message ?? ""), Boolean(run.error));
    say(element, "test", percent(points.test.at(-1)?.top1));
    say(element, "train", percent(points.train.at(-1)?.top1));
    if (snapshots.length && layers) say(element, "disabled", percent(disabledShare(snapshots.at(-1), layers)));
    if (run.counts) say(element, "trainable", `${whole(run.counts.trainable)} of ${whole(run.counts.total)}`);
  });
  return element;
}

function line({ state, progress, spec, result, threads }, loaded) {
  const { step, total_steps, images_per_s, eta_s } = progress;
  if (state === "finished") return `Finished: ${whole(step)} steps in ${duration(result.seconds)}, ${inWords(threads)}.`;
  if (state === "running" && !total_steps) return loaded ? `Loading images: ${bytes(loaded)}` : "Loading the kernels and the images ...";
  const where = total_steps ? `Epoch ${epochOf((step / total_steps) * spec.epochs)} of ${spec.epochs}, step ${whole(step)} of ${whole(total_steps)}` : "";
  if (state === "cancelled") return `Stopped. ${where}`;
  return [where, images_per_s ? `${whole(images_per_s)} images per second` : null, threads ? inWords(threads) : null, eta_s ? `${duration(eta_s)} left` : null].filter(Boolean).join(" · ");
}

const inWords = (threads) => (threads === 1 ? "one thread" : `${threads} threads`);

/** What the charts ask of the reader's choices: γ of all layers, at the newest moment. */
class Newest extends EventTarget {
  of = "gamma";
  layer = null;
  step = null;
  scene = "gamma";
  snapshot = ({ snapshots }) => snapshots.at(-1);
  index = (snapshots) => snapshots.length - 1;
  set() {}
}

function panels(training) {
  const [smoothing, rivals, view] = [Object.assign(new EventTarget(), { weight: 0 }), Object.assign(new EventTarget(), { list: [] }), new Newest()];
  const panel = (title, draw) => {
    const box = h("div", { class: "plot" });
    draw(box);
    return h("figure", { "aria-label": title, class: "card chart" }, h("figcaption", {}, h("h3", {}, title)), box);
  };
  return h(
    "div",
    { class: "charts" },
    panel("Accuracy", (box) => curves(box, training, "top1", smoothing, rivals)),
    panel("Loss", (box) => curves(box, training, "loss", smoothing, rivals)),
    panel("Histogram of γ", (box) => histogram(box, training, view)),
    panel("Disabled features", (box) => disabledOverTime(box, training, view)),
  );
}

/** The other trainings that this browser keeps. */
async function others(id = null) {
  const kept = (await keptTrainings().catch(() => [])).filter((training) => training.id !== id);
  if (!kept.length) return "";
  const rows = kept
    .sort((a, b) => b.at - a.at)
    .map(({ spec, result }) =>
      h("li", {}, h("a", { href: `/tab${toHash(spec)}` }, titleOf(spec)), h("span", { class: "quiet" }, result ? `test accuracy ${percent(result.top1)}` : "not finished")),
    );
  return h("section", { class: "card", "aria-labelledby": "tab-others" }, h("h2", { id: "tab-others" }, "Also in this browser"), h("ul", { class: "choices" }, rows));
}

function download({ id, capsule }) {
  const url = URL.createObjectURL(new Blob([capsule], { type: "application/octet-stream" }));
  h("a", { href: url, download: `onlybn-${id}.safetensors` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

const query = ({ architecture, policy, dataset, epochs, replicate }) => new URLSearchParams({ architecture, policy, dataset, epochs, replicate });

function button(words, kind, onclick) {
  return h("button", { type: "button", class: kind, onclick }, words);
}

function stat(label, name) {
  return h("div", {}, h("dt", {}, label), h("dd", { "data-slot": name }, "–"));
}
