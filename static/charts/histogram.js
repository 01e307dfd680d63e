/**
 * The histogram of γ or β at one moment, with the initial distribution as an outline. It shows shares, not counts, so
 * that layers of different width can be compared.
 */

import { LETTERS, options } from "../server/catalog.js";
import { epochOf } from "../base/format.js";
import { token } from "../base/theme.js";
import { policyColor } from "./colors.js";
import { countColumn, shareColumn, valueColumn } from "./columns.js";
import { Chart, layout } from "./plot.js";

export const EDGES = options.edges;
export const WIDTH = EDGES[1] - EDGES[0];
const TICK = 0.5;

/** The centres of a histogram's entries: below the first edge, the bins, above the last edge. */
export const CENTRES = [
  EDGES[0] - WIDTH / 2,
  ...EDGES.slice(0, -1).map((edge) => edge + WIDTH / 2),
  EDGES.at(-1) + WIDTH / 2,
];

/** `view` (pages/run/view.js) has the parameter, layer and moment. */
export function histogram(element, data, view) {
  const chart = new Chart(element, "Histogram of γ", () => figure(data, view), { table: () => table(data, view) });
  const refresh = () => {
    chart.refresh();
    chart.describe(words(data, view));
  };
  data.addEventListener("change", refresh);
  view.addEventListener("change", refresh);
  refresh();
  return chart;
}

function figure(data, view) {
  const [first, chosen] = [data.snapshots[0], view.snapshot(data)];
  if (!first) return null;
  const { of } = view;
  const letter = LETTERS[of];
  const used = span(data.snapshots, of);
  const x = CENTRES.slice(...used);
  const hover = CENTRES.map((centre, k) =>
    k === 0
      ? `below ${EDGES[0].toFixed(2)}`
      : k === CENTRES.length - 1
        ? `above ${EDGES.at(-1).toFixed(2)}`
        : `${letter} ≈ ${centre.toFixed(2)}`,
  );
  const most = Math.max(...data.snapshots.map((snapshot) => Math.max(...shares(snapshot[of]))));
  const bars = {
    type: "bar",
    x,
    y: shares(chosen[of]).slice(...used),
    width: WIDTH * 0.86,
    marker: { color: policyColor(data.run.spec.policy) },
    name: `epoch ${epochOf(chosen.epoch)}`,
    customdata: hover.slice(...used),
    hovertemplate: "%{customdata}: %{y:.1f}%<extra></extra>",
  };
  const outline = {
    x,
    y: shares(first[of]).slice(...used),
    mode: "lines",
    line: { shape: "hvh", color: token("line-strong"), width: 1.4 },
    name: "at the start",
    hoverinfo: "skip",
  };
  return {
    data: [bars, outline],
    layout: layout({
      uirevision: view.scene,
      showlegend: true,
      margin: { l: 8, r: 12, t: 28, b: 8 },
      x: { name: letter, ...binTicks(used) },
      // While one goes through the training, the bars move and not the axis.
      y: view.step === null ? { ticksuffix: "%", rangemode: "tozero" } : { ticksuffix: "%", range: [0, 1.05 * most] },
      bargap: 0,
    }),
  };
}

function table(data, view) {
  const [first, chosen] = [data.snapshots[0], view.snapshot(data)];
  if (!first) return null;
  const { of } = view;
  const [now, before] = [shares(chosen[of]), shares(first[of])];
  const rows = CENTRES.map((_, bin) => [
    bin === 0 ? null : EDGES[bin - 1],
    bin === CENTRES.length - 1 ? null : EDGES[bin],
    chosen[of][bin],
    now[bin] / 100,
    first[of][bin],
    before[bin] / 100,
  ]);
  return {
    columns: [
      valueColumn(`${LETTERS[of]} from`, "from"),
      valueColumn("to", "to"),
      countColumn("Features", "features"),
      shareColumn("Share", "share"),
      countColumn("At the start", "features_start"),
      shareColumn("Share then", "share_start"),
    ],
    rows: rows.slice(...span(data.snapshots, of)),
    note: `At epoch ${epochOf(chosen.epoch, 2)}, compared with the first snapshot.`,
  };
}

export function shares(counts) {
  const total = counts.reduce((sum, count) => sum + count, 0) || 1;
  return counts.map((count) => (count / total) * 100);
}

/**
 * The entries that any snapshot uses, as [from, to) for slice(), and always those from about -0.5 to 1.25, so that the
 * axis rarely changes. Plotly derives the range from these data; a range set here would reset the reader's zoom.
 */
export function span(snapshots, of) {
  let [low, high] = [CENTRES.findIndex((c) => c > -0.5), CENTRES.findIndex((c) => c > 1.25)];
  for (const { [of]: counts } of snapshots) {
    low = Math.min(
      low,
      counts.findIndex((count) => count > 0),
    );
    high = Math.max(
      high,
      counts.findLastIndex((count) => count > 0),
    );
  }
  return [Math.max(0, low), high + 1];
}

/** Ticks of an axis of the bins [from, to): the outermost bins hold all beyond, and say so. */
export function binTicks([from, to]) {
  const first = from === 0 ? [[CENTRES[0], `≤ −${Math.abs(EDGES[0])}`]] : [];
  const last = to === CENTRES.length ? [[CENTRES.at(-1), `≥ ${EDGES.at(-1)}`]] : [];
  const [low, high] = [from === 0 ? EDGES[0] + TICK / 2 : CENTRES[from], to === CENTRES.length ? EDGES.at(-1) - TICK / 2 : CENTRES[to - 1]];
  const between = [];
  for (let at = Math.ceil(low / TICK) * TICK; at <= high; at += TICK) between.push([at, String(at).replace("-", "−")]);
  const ticks = [...first, ...between, ...last];
  return { tickvals: ticks.map(([at]) => at), ticktext: ticks.map(([, words]) => words), tickangle: 0 };
}

function words(data, view) {
  const [chosen, letter] = [view.snapshot(data), LETTERS[view.of]];
  if (!chosen || !data.layers) return `Histogram of ${letter}, no data yet.`;
  const counts = chosen[view.of];
  const total = counts.reduce((sum, count) => sum + count, 0);
  const zero = counts[(counts.length - 1) / 2];
  return `Histogram of ${letter} of ${total} features at epoch ${epochOf(chosen.epoch)}: ${Math.round((zero / total) * 100)} percent lie in the bin around zero.`;
}
