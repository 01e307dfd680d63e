/**
 * What a comparison shows as data: the curves as CSV (long) and JSON. Always the values themselves, never the smoothed
 * ones.
 */

const COLUMNS = ["run", "name", "group", "metric", "step", "epoch", "value"];

/** The curves of all groups, one line a point; shares are 0..1, as in every other file of ours. */
export function curvesCsv(curves, { metric }, scale) {
  const rows = curves.flatMap(({ name, singles }) =>
    singles.flatMap(({ data, points }) =>
      points.map(({ step, epoch, y }) => [data.id, data.run.name ?? "", name, metric, step, epoch, tidy(y / scale)]),
    ),
  );
  return csv([COLUMNS, ...rows]);
}

/** Rows as CSV: lines end with CR LF (RFC 4180), and no cell starts a formula. */
export const csv = (rows) => rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");

function cell(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Multiplied for the axis and divided again, a number has lost its last digit. */
const tidy = (value) => Number(value.toPrecision(12));

/** Everything that the page shows, as one object. */
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
