/**
 * Groups of runs: their members, their curves, and the mean over the steps that all members have. Draws nothing.
 */

import { nameOf } from "../../server/catalog.js";
import { hash } from "../../charts/colors.js";
import { differing, fieldOf, FIELDS, said } from "./fields.js";
import { looks } from "./looks.js";
import { BANDS, summary } from "../../charts/statistics.js";

/** The quantities that curves can show; `of` is a field of a point. */
export const METRICS = {
  test: { title: "Test accuracy", split: "test", of: "top1", scale: 100, digits: 1, suffix: "%" },
  train: { title: "Train accuracy", split: "train", of: "top1", scale: 100, digits: 1, suffix: "%" },
  loss: { title: "Test loss", split: "test", of: "loss", scale: 1, digits: 4, suffix: "" },
  train_loss: { title: "Train loss", split: "train", of: "loss", scale: 1, digits: 4, suffix: "" },
  disabled: { title: "Disabled features", split: null, of: "share", scale: 100, digits: 1, suffix: "%" },
};

export const AXES = {
  epoch: { title: "Epoch", name: "epoch" },
  step: { title: "Step", name: "step" },
  seconds: { title: "Seconds", name: "seconds of training, spread evenly over the steps" },
};

/** A value of `metric` as text. */
export const shown = (metric, value) => value.toFixed(METRICS[metric].digits) + METRICS[metric].suffix;

/** The fields of a setting: all but the replicate and mere labels. */
const SETTING = FIELDS.filter(({ key }) => key !== "replicate");

/** The groups of `watched` (RunData with a run) by `keys`: fields, or "setting", or "run". */
export function groupsOf(watched, keys) {
  const groups = new Map();
  for (const data of watched) {
    const key = keyOf(data.run, keys);
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(data);
  }
  const differ = differing(watched.map(({ run }) => run));
  const found = looks([...groups.values()].map((members) => members.map(({ run }) => run)));
  return [...groups].map(([key, members], at) => {
    const name = groupName(members, keys, differ);
    return {
      key,
      // Plotly uses the uid in a selector, where a raw key would be invalid.
      uid: keys[0] === "run" ? key : `g${hash(key).toString(36)}`,
      members,
      name,
      short: (members.length === 1 && members[0].run.name) || found[at].short || name,
      style: found[at].style,
    };
  });
}

function keyOf(run, keys) {
  if (keys[0] === "run") return run.id;
  const fields = keys[0] === "setting" ? SETTING : keys.map(fieldOf);
  return JSON.stringify(fields.map(({ value }) => value(run)));
}

function groupName(members, keys, differ) {
  const { run } = members[0];
  if (keys[0] === "run" || (keys[0] === "setting" && members.length === 1 && run.name)) return runName(run, differ);
  if (keys[0] === "setting") return named(run, differ.filter(({ key }) => key !== "replicate"));
  return keys.map((key) => said(fieldOf(key), run)).join(" · ");
}

/** The name of a run among others: its own, or the fields in which it differs from them. */
export const runName = (run, differ) => run.name || named(run, differ);

function named(run, differ) {
  if (!differ.length) return nameOf({ ...run, name: null });
  const shown = ["architecture", "policy"].map(fieldOf);
  return [...shown, ...differ.filter(({ key }) => !["architecture", "policy"].includes(key))]
    .map((field) => said(field, run))
    .join(" · ");
}

/** The seconds of one step; null if unknown. A resumed run has only the seconds of its last attempt. */
function secondsAStep({ attempt, result, progress }) {
  const seconds = result?.seconds ?? progress.elapsed_s;
  const step = result?.step ?? progress.step;
  return attempt > 1 || !seconds || !step ? null : seconds / step;
}

/** The points {step, epoch, x, y} of a run's curve, in the order of training. */
function curveOf({ run, points, disabled }, metric, axis) {
  const { split, of, scale } = METRICS[metric];
  const raw = split ? points[split] : disabled.map(([, step, epoch, share]) => ({ step, epoch, share }));
  const each = axis === "seconds" ? secondsAStep(run) : null;
  if (axis === "seconds" && each === null) return [];
  return raw.map((point) => ({
    step: point.step,
    epoch: point.epoch,
    x: axis === "seconds" ? point.step * each : point[axis],
    y: point[of] * scale,
  }));
}

/**
 * The curves of a group: {n, singles: [{data, points}], mean: [{x, y, step, epoch, values, ends}]}. The mean has the
 * steps or epochs that all its curves have; runs without a point do not count.
 */
export function curvesOf(group, { metric, x, band }) {
  const singles = group.members
    .map((data) => ({ data, points: curveOf(data, metric, x) }))
    .filter(({ points }) => points.length);
  const align = x === "step" ? "step" : "epoch";
  const tables = singles.map(({ points }) => new Map(points.map((point) => [point[align], point])));
  const shared = tables.length ? [...tables[0].keys()].filter((key) => tables.every((table) => table.has(key))) : [];
  const mean = shared.map((key) => {
    const found = tables.map((table) => table.get(key));
    const values = found.map(({ y }) => y);
    const { step, epoch } = found[0];
    return {
      step: found.every((point) => point.step === step) ? step : null,
      epoch: found.every((point) => point.epoch === epoch) ? epoch : null,
      x: summary(found.map((point) => point.x)).mean,
      y: summary(values).mean,
      values,
      ends: BANDS[band].ends(values),
    };
  });
  return { ...group, n: singles.length, singles, mean };
}
