/**
 * The keys for groups, names, axes and columns: the fields of a spec, and the results of a run. app/views/comparison.py
 * has the same keys.
 */

import { architectureTitle, datasetOf, nameOf, options, policyOf, taskTitle, titleOfValue } from "../../server/catalog.js";
import { decimal, duration, NONE, percent, since, whole } from "../../base/format.js";
import { PART_KEYS, pathOf, text } from "../../server/spec.js";
import { stateWord } from "../../base/widgets.js";

const TITLES = {
  architecture: "Architecture",
  policy: "What trains",
  dataset: "Data set",
  task: "Task",
  epochs: "Epochs",
  replicate: "Replicate",
  train_examples: "Training images",
  test_examples: "Test images",
  start: "Starts from",
  lr: "Learning rate",
  lr_drops: "Rate drops at",
  lr_drop_factor: "Drop factor",
  lean: "8-bit storage for backward",
  draw: "Version of the random draw",
  sync_batchnorm: "SyncBatchNorm",
  "init.weights": "Initial weights",
  "init.norm": "Initial γ and β",
  "norm.kind": "Norm layers",
  "norm.affine": "With γ and β",
  "norm.groups": "Groups of channels",
  "seeds.init": "Weight seed",
  "seeds.order": "Image order seed",
  "seeds.augmentation": "Augmentation seed",
  "seeds.choice": "Selection seed",
  "adapt.corruptions": "Corruptions",
  "adapt.severities": "Severities",
  "adapt.optimizer": "Adaptation optimiser",
  "adapt.lr": "Adaptation rate",
  "adapt.batch_size": "Adaptation batch",
  "adapt.images": "Adaptation images",
  "adapt.seed": "Adaptation seed",
};

const SAID = {
  architecture: architectureTitle,
  policy: (value) => policyOf(value).title,
  dataset: (value) => datasetOf(value).title,
  task: taskTitle,
  "init.weights": (value) => titleOfValue("init.weights", value),
  "init.norm": (value) => titleOfValue("init.norm", value),
};

const spoken = (key) => TITLES[key] ?? (key[0].toUpperCase() + key.slice(1)).replaceAll("_", " ");

/** A field of the spec. A seed has a value only if somebody chose it; derived seeds add nothing to the replicate. */
function specField(key) {
  const part = PART_KEYS.includes(key) ? pathOf(key) : [key];
  const missing = key.endsWith("_examples") ? "all" : part[0] === "seeds" ? "from the replicate" : key === "task" ? taskTitle("whole") : NONE;
  return {
    key,
    title: spoken(key),
    value: ({ spec, own_seeds }) => part.reduce((at, step) => at?.[step], { ...spec, seeds: own_seeds }) ?? null,
    text: (value) => {
      if (value === null) return missing;
      if (typeof value === "boolean") return value ? "yes" : "no";
      return SAID[key]?.(value) ?? String(titleOfValue(key, text(value)));
    },
  };
}

/** Which copy of its data set a run saw. */
const COPY = {
  key: "copy",
  title: "Copy of the data set",
  value: ({ spec: { copy_of_data: copy } }) => (copy ? `${copy.kind} ${copy.fingerprint}` : null),
  text: (value) => value ?? "the original",
};

/** Where a run was trained: a browser rounds otherwise, so its run is no replicate of one of a server. */
const TRAINED = {
  key: "trained",
  title: "Trained in",
  value: ({ browser }) => (browser ? "a browser" : null),
  text: (value) => value ?? "a server",
};

/** The fields of a setting, in the order of the menus. */
export const FIELDS = [
  ...["architecture", "policy", "dataset"].map(specField),
  COPY,
  TRAINED,
  ...["epochs", ...Object.keys(options.optional).filter((key) => key !== "name"), ...PART_KEYS].map(specField),
];

const share = (key, title, value) => ({ key, title, value, text: (found) => percent(found), scale: 100, suffix: "%" });
const number = (key, title, value, text) => ({ key, title, value, text, scale: 1, suffix: "" });

/** Numbers that a run has from the start or at its end; an axis multiplies them by `scale`. */
export const RESULTS = [
  share("test", "Test accuracy", ({ result, top1 }) => result?.top1 ?? top1),
  share("train", "Train accuracy", ({ result }) => result?.train_top1 ?? null),
  number("loss", "Test loss", ({ result }) => result?.loss ?? null, decimal),
  number("train_loss", "Train loss", ({ result }) => result?.train_loss ?? null, decimal),
  share("top5", "Top-5 accuracy", ({ result }) => result?.top5 ?? null),
  share("disabled", "Disabled features", ({ disabled }) => disabled),
  number("seconds", "Training time", ({ result, progress }) => result?.seconds ?? progress.elapsed_s, duration),
  number("trainable", "Trainable parameters", ({ counts }) => counts.trainable, whole),
  number("total", "Parameters", ({ counts }) => counts.total, whole),
  share("share", "Trainable share", ({ counts }) => counts.trainable / counts.total),
].map((result) => ({ ...result, number: true }));

const OTHERS = [
  { key: "state", title: "State", value: ({ state }) => state, text: stateWord },
  { key: "name", title: "Run", value: nameOf, text: String },
  { key: "launched", title: "Launched", value: ({ created_at }) => created_at, text: since },
];

const ALL = new Map([...FIELDS, ...RESULTS, ...OTHERS].map((field) => [field.key, field]));

export const fieldOf = (key) => ALL.get(key);

const FRONT = ["trainable", "test", "difference", "disabled"];

/** The table's optional columns; the run's name is always there. */
export const COLUMNS = [
  "state",
  ...FIELDS.map(({ key }) => key),
  ...FRONT,
  ...RESULTS.map(({ key }) => key).filter((key) => !FRONT.includes(key)),
  "launched",
];

const SHORT = { difference: "Difference", trainable: "Trainable", disabled: "Disabled", share: "Share" };

export const columnTitle = (key) => SHORT[key] ?? fieldOf(key).title;

/** The fields in which `runs` differ. */
export function differing(runs) {
  return FIELDS.filter(({ value }) => new Set(runs.map((run) => JSON.stringify(value(run)))).size > 1);
}

/** A field's value as text, with the field's name if the value alone is unclear. */
export function said({ key, title, value, text }, run) {
  const words = text(value(run));
  return key in SAID ? words : `${title.toLowerCase()} ${words}`;
}
