/**
 * The data of a comparison: its curves and its points as CSV and JSON. Values are as measured, never smoothed.
 */

import { csv } from "../../base/csv.js";

const COLUMNS = ["run", "name", "group", "metric", "step", "epoch", "value"];

/** The curves of all groups, one line per point; shares are 0..1, as in all our files. */
export const curvesCsv = (curves, view, scale) => csv(curveRows(curves, view, scale));

export function curveRows(curves, { metric }, scale) {
  const rows = curves.flatMap(({ name, singles }) =>
    singles.flatMap(({ data, points }) =>
      points.map(({ step, epoch, y }) => [data.id, data.run.name ?? "", name, metric, step, epoch, tidy(y / scale)]),
    ),
  );
  return [COLUMNS, ...rows];
}

/** The runs as points, one line per run. */
export const pointRows = (points, { x, y }) => [
  ["run", "name", "group", x.key, y.key],
  ...points.map(({ run, group }) => [run.id, run.name ?? "", group.name, x.value(run), y.value(run)]),
];

/** Rounds to 12 digits: the axis multiplied the number, and dividing it again changes its last digit. */
const tidy = (value) => Number(value.toPrecision(12));

/** All that the page shows, as one object. */
export function comparisonJson(curves, { source, view }, scale) {
  return {
    address: location.href,
    source,
    view,
    groups: curves.map(({ name, n, members, mean }) => ({
      name,
      runs: members.map(({ id }) => id),
      curves: n,
      mean: mean.map(({ step, epoch, y, values, ends }) => ({
        step,
        epoch,
        n: values.length,
        mean: tidy(y / scale),
        low: ends ? tidy(ends[0] / scale) : null,
        high: ends ? tidy(ends[1] / scale) : null,
      })),
    })),
    runs: curves.flatMap(({ name, members, singles }) =>
      members.map(({ id, run }) => ({
        id,
        name: run.name,
        group: name,
        state: run.state,
        spec: run.spec,
        counts: run.counts,
        result: run.result,
        points: (singles.find(({ data }) => data.id === id)?.points ?? []).map(({ step, epoch, y }) => ({
          step,
          epoch,
          value: tidy(y / scale),
        })),
      })),
    ),
  };
}

/** The points as one object: the axes, and each run with its position. */
export function pointsJson(points, { x, y, log }) {
  const axis = ({ key, title }, letter) => ({ field: key, title, logarithmic: log.includes(letter) });
  return {
    address: location.href,
    x: axis(x, "x"),
    y: axis(y, "y"),
    runs: points.map(({ run, group }) => ({
      id: run.id,
      name: run.name,
      group: group.name,
      x: x.value(run),
      y: y.value(run),
      state: run.state,
      spec: run.spec,
      counts: run.counts,
      result: run.result,
    })),
  };
}
