/**
 * The lower part of a run's page: its spec, its network, and its log.
 */

import { architectureTitle, classesOf, datasetTitle, policyOf, titleOfValue } from "../../server/catalog.js";
import { frozen } from "../../base/place.js";
import { h } from "../../base/dom.js";
import { lowered, NONE, percent, when, whole } from "../../base/format.js";
import { term } from "../../site/term.js";
import { text } from "../../server/spec.js";
import { log } from "./log.js";
import { network } from "./network.js";

/** `preview`: promise of the response of /api/preview to the run's spec, or of null. */
export function details(data, preview) {
  return h(
    "div",
    { class: "details" },
    network(data, preview),
    specification(data),
    happened(data),
  );
}

function happened(data) {
  return h(
    "section",
    { class: "card screen-only", "aria-labelledby": "log-title" },
    h("h2", { id: "log-title" }, "What happened"),
    log(data),
  );
}

/** The machine that computes the run, known once the run has started. */
function where(data) {
  const element = h("span");
  const say = () => {
    const { device, engine } = data.run;
    const here = [device, engine].filter(Boolean).join(" · ");
    const words = data.run.browser ? `a browser${here && `; verified on ${here}`}` : here || NONE;
    if (element.textContent !== words) element.textContent = words;
  };
  data.addEventListener("change", say);
  say();
  return element;
}

function specification(data) {
  const { id, spec, counts, created_at, label } = data.run;
  const { recipe, norm, init } = spec;
  const rows = [
    [term("architecture", "Architecture"), architectureTitle(spec.architecture)],
    [term("policy", "What trains"), `${policyOf(spec.policy).title}: ${whole(counts.trainable)} of ${whole(counts.total)} parameters`],
    [
      "γ and β, output, shortcuts",
      `${whole(counts.batchnorm)}, ${whole(counts.output)}, ${whole(counts.shortcut)} parameters`,
    ],
    [term("norm", "Norm layers"), normWords(norm)],
    [
      "Data set",
      `${datasetTitle(spec)}, ${spec.train_examples ? `${whole(spec.train_examples)} training images` : "all training images"}, ${whole(classesOf(spec))} classes`,
    ],
    ["Length", `${spec.epochs} ${spec.epochs === 1 ? "epoch" : "epochs"} with batches of ${recipe.batch_size}`],
    ["Optimiser", optimizerWords(recipe)],
    ["Learning rate", rateWords(recipe)],
    recipe.label_smoothing ? ["Label smoothing", text(recipe.label_smoothing)] : null,
    ["Augmentation", recipe.augmentation],
    ["Initial weights", titleOfValue("init.weights", init.weights)],
    norm.affine ? ["Initial γ and β", titleOfValue("init.norm", init.norm)] : null,
    spec.start ? ["Starts from", startFile(spec.start)] : null,
    [term("replicate", "Replicate"), `${spec.replicate} (seeds ${Object.values(spec.seeds).join(", ")})`],
    ["Launched", when(created_at)],
    label ? ["Worker label", label] : null,
    ["Trained on", where(data)],
    ["Id", id],
  ];
  return h(
    "section",
    { class: "card", "aria-labelledby": "spec-title" },
    h("h2", { id: "spec-title" }, "Specification"),
    h(
      "dl",
      { class: "spec" },
      rows.filter(Boolean).map(([label, value]) => h("div", {}, h("dt", {}, label), h("dd", {}, value))),
    ),
  );
}

const startFile = (digest) =>
  h("a", { href: frozen ? null : `/api/starts/${digest}/file` }, `the file with SHA-256 ${digest.slice(0, 16)}…`);

function normWords({ kind, affine, groups }) {
  const parts = [titleOfValue("norm.kind", kind)];
  if (kind === "group") parts.push(`of ${groups} groups`);
  if (!affine) parts.push("without γ and β");
  return parts.join(" ");
}

function optimizerWords({ optimizer, momentum, nesterov, weight_decay }) {
  if (optimizer === "least-squares")
    return `γ and β by least squares; the teacher by SGD, momentum ${momentum}, weight decay ${weight_decay}`;
  const first = optimizer === "sgd" ? (nesterov ? "Nesterov’s momentum" : "momentum") : "β1";
  return `${titleOfValue("optimizer", optimizer)}, ${first} ${momentum}, weight decay ${weight_decay}`;
}

function rateWords({ lr, schedule, lr_drops, lr_drop_factor, warmup_epochs }) {
  const shares = lr_drops.map((share) => percent(share, Number.isInteger(share * 100) ? 0 : 1)).join(" and ");
  const steps = shares ? `times ${lr_drop_factor} at ${shares}` : "constant";
  const words = schedule === "step" ? steps : lowered(titleOfValue("schedule", schedule));
  return `${lr}, ${words}${warmup_epochs ? `, after a warm-up of ${text(warmup_epochs)} epochs` : ""}`;
}
