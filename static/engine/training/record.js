/**
 * What a training measured, as a server takes it (core/run/tab.py): one event a line, the result last.
 */

import { DATASETS } from "../datasets.js";
import { planOf } from "../plan.js";
import { trainsOf } from "../policy.js";
import { pointStride } from "./stride.js";

const BETWEEN = 140;
const ENDS = 150;
const MOST = 4e6; // letters of snapshots

/**
 * `events`: all of a finished training. Of the snapshots those remain that a run keeps (core/run/cost.py), and of a deep
 * network with many only every second one, or fourth.
 */
export function recordOf(spec, events) {
  const keeps = keptSteps(spec, events.find(({ event }) => event === "started"));
  const lines = (kind) => events.filter(({ event, step }) => event === kind && (kind !== "snapshot" || keeps(step))).map((event) => JSON.stringify(event));
  let snapshots = lines("snapshot");
  while (snapshots.reduce((sum, line) => sum + line.length, 0) > MOST) snapshots = snapshots.filter((_, at) => at % 2 === 0);
  return [...lines("point"), ...snapshots, ...lines("finished")].join("\n");
}

function keptSteps({ architecture, policy, dataset, epochs, recipe }, { total_steps: total, steps_per_epoch, train_examples }) {
  const { shape, classes } = DATASETS[dataset];
  const plan = planOf(architecture, shape, classes.length);
  const stride = pointStride(plan, trainsOf(policy, plan), Math.min(recipe.batch_size, train_examples));
  const between = stride * Math.max(1, Math.ceil(total / (stride * BETWEEN)));
  const ends = steps_per_epoch * Math.max(1, Math.ceil(epochs / ENDS));
  return (step) => step === total || step % between === 0 || step % ends === 0;
}
