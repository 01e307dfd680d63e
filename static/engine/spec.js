/**
 * Specs in the browser: what they leave out, and which of them a tab can train.
 */

import { DATASETS } from "./datasets.js";
import { SHIPPED } from "./images.js";
import { planOf } from "./plan.js";
import { trainsOf } from "./policy.js";
import { seedsOf } from "./seeds.js";

/** What a spec has where it says nothing (core/run/spec.py, core/run/recipe.py). */
const USUAL = {
  replicate: 0,
  train_examples: null,
  test_examples: null,
  draw: 2,
  start: null,
  contents: null,
  copy_of_data: null,
  name: null,
};
const RECIPE = {
  optimizer: "sgd",
  lr: 0.1,
  momentum: 0.9,
  nesterov: false,
  weight_decay: 1e-4,
  batch_size: 128,
  schedule: "step",
  lr_drops: [0.5, 0.75],
  lr_drop_factor: 0.1,
  warmup_epochs: 0,
  label_smoothing: 0,
  sync_batchnorm: false,
  precision: "auto",
  lean: true,
  augmentation: "standard",
};
const NORM = { kind: "batch", affine: true, groups: 8 };
const WHOLE = "whole";
const DEEPEST = 56;
const WIDEST = 4;

/** The spec with everything that it leaves out. `normInitializer`: that of the policy, where the spec names none. */
export function completed(kernels, spec, normInitializer = "uniform") {
  const { replicate = 0, task, ...rest } = spec;
  return {
    ...USUAL,
    ...rest,
    ...(task && task !== WHOLE ? { task } : {}),
    replicate,
    recipe: { ...RECIPE, ...spec.recipe },
    init: { weights: "he-normal", norm: normInitializer ?? "uniform", ...spec.init },
    norm: { ...NORM, ...spec.norm },
    seeds: { ...seedsOf(kernels, replicate), ...spec.seeds },
  };
}

/** Why a tab cannot train a spec, complete or not, in a sentence; "" if it can. */
export function obstacle(spec) {
  if (!Object.hasOwn(SHIPPED, spec.dataset)) return "A tab trains on digits and Fashion-MNIST, whose images come with the page.";
  const shipped = SHIPPED[spec.dataset];
  const data = DATASETS[spec.dataset];
  for (const [kind, field] of Object.entries({ train: "train_examples", test: "test_examples" })) {
    const asked = spec[field] ?? data[kind];
    if (asked > shipped[kind]) return `${shipped[kind]} images to ${kind} come with the page; this asks for ${asked}. Set ${field} to ${shipped[kind]}.`;
    if (asked < 2) return "A tab needs at least two images.";
  }
  if ((spec.norm?.kind ?? "batch") !== "batch" || spec.norm?.affine === false) return "A tab trains networks with BatchNorm.";
  if (spec.start) return "A tab cannot start from a file of weights.";
  if (spec.task && spec.task !== WHOLE) return "A tab trains on the whole data set, not on one of its tasks.";
  if (spec.recipe?.optimizer === "least-squares") return "A tab trains γ and β; it cannot compute them by least squares.";
  if (spec.adapt) return "A tab cannot adapt to corrupted images.";
  if ((spec.draw ?? 2) !== 2) return "A tab knows version 2 of the random draw.";
  const [, family, number] = /^(resnet|wrn-14)-(\d+)$/.exec(spec.architecture) ?? [];
  if (!family || (family === "resnet" ? number > DEEPEST : number > WIDEST))
    return `A tab trains ResNets up to depth ${DEEPEST} and Wide ResNets up to width ${WIDEST}.`;
  try {
    trainsOf(spec.policy, planOf(spec.architecture, data.shape, data.classes.length));
  } catch (error) {
    return error.message;
  }
  return "";
}
