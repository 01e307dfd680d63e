/**
 * The ridge chart: the distribution of γ or β in each layer at one moment as a hill, from the input (above) to the
 * output (below). If a network has too many layers, it shows evenly chosen ones.
 */

import { LETTERS, options } from "../server/catalog.js";
import { epochOf } from "../base/format.js";
import { token } from "../base/theme.js";
import { faint, policyColor } from "./colors.js";
import { countColumn, shareColumn, wordsColumn } from "./columns.js";
import { levelColumns } from "./fan.js";
import { CENTRES, shares } from "./histogram.js";
import { Chart, layout } from "./plot.js";

const MOST = 24;
const HEIGHT = 1.7;

/** `snapshots` (pages/run/snapshots.js) has the snapshots with all their layers. */
export function ridge(element, data, view, snapshots) {
  const chart = new Chart(element, "γ of each layer", () => figure(data, view, snapshots), {
    table: () => table(data, view, snapshots),
  });
  const refresh = () => {
    chart.refresh();
    chart.describe(words(data, view, snapshots));
  };
  for (const source of [data, view, snapshots]) source.addEventListener("change", refresh);
  refresh();
  return chart;
}

/** The numbers of all layers, even if the picture shows only some. */
function table(data, view, snapshots) {
  const chosen = view.snapshot(data);
  const whole = chosen && snapshots.at(chosen.step);
  if (!whole || !data.layers) return null;
  return {
    columns: [
      wordsColumn("Layer"),
      countColumn("Features", "features"),
      shareColumn(`|γ| < ${options.disabled_below}`, "disabled"),
      ...levelColumns,
    ],
    rows: data.layers.map(({ name, channels }, index) => [
      name,
      channels,
      whole.disabled[index] / channels,
      ...whole[view.of].quantiles[index],
    ]),
    note: `Quantiles of ${LETTERS[view.of]} at epoch ${epochOf(whole.epoch, 2)}.`,
  };
}

/** The indices of the layers that are shown: all, or evenly chosen ones and the reader's choice. */
function shown(count, chosen = null) {
  const places = count <= MOST ? [...Array(count).keys()] : evenly(count);
  if (chosen !== null && chosen < count && !places.includes(chosen)) places.push(chosen);
  return places.sort((a, b) => a - b);
}

const evenly = (count) => [...Array(MOST).keys()].map((k) => Math.round((k * (count - 1)) / (MOST - 1)));

function figure(data, view, snapshots) {
  const chosen = view.snapshot(data);
  const whole = chosen && snapshots.at(chosen.step);
  if (!whole || !data.layers) return null;
  const counts = whole[view.of].counts;
  const places = shown(data.layers.length, view.layer);
  const used = within(places.map((place) => counts[place]));
  const x = CENTRES.slice(...used);
  const color = policyColor(data.run.spec.policy);
  const traces = places.map((place, row) => hill(place, row, { data, view, counts, places, used, x, color }));
  return {
    data: traces,
    layout: layout({
      uirevision: `${view.scene} ${places.length}`,
      x: { name: LETTERS[view.of], zeroline: true, zerolinecolor: token("line-strong") },
      y: {
        showgrid: false,
        range: [-0.3, places.length - 1 + HEIGHT + 0.1],
        tickvals: places.map((_, row) => places.length - 1 - row),
        ticktext: places.map((place) => data.layers[place].name),
        tickfont: { size: places.length > 16 ? 9 : 11, color: token("quiet") },
      },
      hovermode: "closest",
    }),
  };
}

function hill(place, row, { data, view, counts, places, used, x, color }) {
  const share = shares(counts[place]).slice(...used);
  const most = Math.max(...share, 1e-9);
  const base = places.length - 1 - row;
  const strong = view.layer === null || view.layer === place;
  const { name, channels } = data.layers[place];
  return {
    x: [x[0], ...x, x.at(-1)],
    y: [base, ...share.map((value) => base + (HEIGHT * value) / most), base],
    customdata: [0, ...share, 0],
    name,
    mode: "lines",
    fill: "toself",
    fillcolor: faint(strong ? color : token("line-strong"), 0.45),
    line: { color: token("surface"), width: 1.2 },
    hovertemplate: `${name} (${channels})<br>${LETTERS[view.of]} ≈ %{x:.2f}: %{customdata:.1f}%<extra></extra>`,
    hoveron: "points",
  };
}

/** The entries that any of `rows` uses, with one empty entry at each side, as [from, to) for slice(). */
function within(rows) {
  const low = Math.min(...rows.map((row) => row.findIndex((count) => count > 0)));
  const high = Math.max(...rows.map((row) => row.findLastIndex((count) => count > 0)));
  return [Math.max(0, low - 1), Math.min(CENTRES.length, high + 2)];
}

function words(data, view, snapshots) {
  const chosen = view.snapshot(data);
  if (!chosen || !data.layers || !snapshots.at(chosen.step)) return `${LETTERS[view.of]} of each layer, no data yet.`;
  const count = data.layers.length;
  const some = shown(count, view.layer).length;
  const which = some < count ? `${some} of ${count} layers` : `all ${count} layers`;
  return `${LETTERS[view.of]} of ${which} at epoch ${epochOf(chosen.epoch)}, from input to output.`;
}
