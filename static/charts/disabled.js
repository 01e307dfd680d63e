/**
 * Charts of the disabled features (|γ| below the threshold): their share in each layer at one moment and over time, and
 * in the whole network over time.
 */

import { options } from "../server/catalog.js";
import { epochOf, percent } from "../base/format.js";
import { policyColor, shareScale } from "./colors.js";
import { countColumn, epochColumn, shareColumn, stepColumn, wordsColumn } from "./columns.js";
import { marker, momentAt } from "./moment.js";
import { Chart, layout, overEpochs } from "./plot.js";

const MAX_CELLS = 60_000;

const sum = (values) => values.reduce((total, value) => total + value, 0);

/** The share of all features that are disabled in a snapshot. */
export const disabledShare = (snapshot, layers) => sum(snapshot.disabled) / sum(layers.map(({ channels }) => channels));

/** A chart that follows `data` and `view`; `words()` describes it, `table()` has its numbers. */
function following(element, label, data, view, { figure, words, table, click = null, axis = null }) {
  const there = (make) => () => (data.snapshots.length && data.layers ? make() : null);
  const chart = new Chart(element, label, there(figure), { click, table: there(table), axis });
  const refresh = () => {
    chart.refresh();
    if (data.snapshots.length && data.layers) chart.describe(`${label}: ${words()}`);
  };
  data.addEventListener("change", refresh);
  view.addEventListener("change", refresh);
  refresh();
  return chart;
}

const inAll = (data, snapshot) =>
  `${percent(disabledShare(snapshot, data.layers))} of all features have |γ| below ${options.disabled_below}.`;

/** A bar per layer, in the order of the forward pass. */
export function disabledByLayer(element, data, view) {
  const figure = () => {
    const chosen = view.snapshot(data);
    const { layers } = data;
    const shares = layers.map(({ channels }, index) => (chosen.disabled[index] / channels) * 100);
    return {
      data: [
        {
          type: "bar",
          x: layers.map((_, index) => index + 1),
          y: shares,
          marker: { color: policyColor(data.run.spec.policy) },
          customdata: layers.map((layer, index) => [layer.name, chosen.disabled[index], layer.channels]),
          hovertemplate:
            "%{customdata[0]}<br>%{customdata[1]} of %{customdata[2]} features (%{y:.1f}%)<extra></extra>",
        },
      ],
      layout: layout({
        x: {
          name: "layer, from input to output",
          range: [0.4, layers.length + 0.6],
          autorange: false,
          tickformat: "d",
          showgrid: false,
        },
        y: { ticksuffix: "%", rangemode: "tozero" },
        bargap: layers.length > 100 ? 0 : 0.2,
      }),
    };
  };
  const words = () => `at epoch ${epochOf(view.snapshot(data).epoch)} ${inAll(data, view.snapshot(data))}`;
  const table = () => {
    const { disabled, epoch } = view.snapshot(data);
    return {
      columns: [wordsColumn("Layer"), countColumn("Features", "features"), countColumn("Off", "disabled"), shareColumn("Share", "share")],
      rows: data.layers.map(({ name, channels }, index) => [name, channels, disabled[index], disabled[index] / channels]),
      note: `At epoch ${epochOf(epoch, 2)}.`,
    };
  };
  return following(element, "Disabled features by layer", data, view, { figure, words, table });
}

/** A row per layer, a column per moment; a long and deep run shows evenly chosen moments. */
export function disabledOfLayers(element, data, view) {
  const figure = () => {
    const { layers } = data;
    const stride = Math.ceil((data.snapshots.length * layers.length) / MAX_CELLS);
    const columns = data.snapshots.filter((_, index, { length }) => index % stride === 0 || index === length - 1);
    const z = layers.map(({ channels }, index) => columns.map(({ disabled }) => (disabled[index] / channels) * 100));
    const most = Math.max(10, Math.ceil(Math.max(...z.map((row) => Math.max(...row))) / 10) * 10);
    return {
      data: [
        {
          type: "heatmap",
          x: columns.map(({ epoch }) => epoch),
          y: layers.map((_, index) => index + 1),
          z,
          customdata: layers.map((layer) => columns.map(() => layer.name)),
          hovertemplate: "%{customdata}<br>epoch %{x:.4~g}: %{z:.1f}%<extra></extra>",
          ...shareScale(most),
        },
      ],
      layout: layout({
        margin: { l: 8, r: 6, t: 10, b: 8 },
        x: { name: "epoch", range: [0, data.run.spec.epochs], autorange: false, showgrid: false },
        y: { name: "layer", autorange: "reversed", showgrid: false, tickformat: "d" },
        shapes: marker(data, view),
      }),
    };
  };
  const words = () => {
    const last = data.snapshots.at(-1);
    const shares = data.layers.map(({ channels }, index) => last.disabled[index] / channels);
    const most = Math.max(...shares);
    return `most at epoch ${epochOf(last.epoch)} in ${data.layers[shares.indexOf(most)].name}, ${percent(most)}.`;
  };
  const label = "Disabled features of each layer over the epochs";
  const table = () => ({
    columns: [stepColumn, epochColumn, ...data.layers.map(({ name }) => shareColumn(name, name))],
    rows: data.snapshots.map(({ step, epoch, disabled }) => [
      step,
      epoch,
      ...data.layers.map(({ channels }, index) => disabled[index] / channels),
    ]),
    newest: true,
    note: "The share of each layer’s features that is off.",
  });
  return following(element, label, data, view, { figure, words, table, click: momentAt(data, view) });
}

/** The share in the whole network as a line over the epochs. */
export function disabledOverTime(element, data, view) {
  const figure = () => ({
    data: [
      {
        x: data.snapshots.map(({ epoch }) => epoch),
        y: data.snapshots.map((snapshot) => disabledShare(snapshot, data.layers) * 100),
        mode: "lines",
        line: { color: policyColor(data.run.spec.policy), width: 2.4 },
        hovertemplate: "%{y:.1f}% off<extra></extra>",
      },
    ],
    layout: overEpochs(data.run, { y: { ticksuffix: "%", rangemode: "tozero" }, shapes: marker(data, view) }),
  });
  const words = () => `now ${inAll(data, data.snapshots.at(-1))}`;
  const table = () => ({
    columns: [stepColumn, epochColumn, countColumn("Off", "disabled"), shareColumn("Share", "share")],
    rows: data.snapshots.map((snapshot) => [
      snapshot.step,
      snapshot.epoch,
      sum(snapshot.disabled),
      disabledShare(snapshot, data.layers),
    ]),
    newest: true,
  });
  const parts = { figure, words, table, click: momentAt(data, view) };
  return following(element, "Disabled features over the epochs", data, view, parts);
}
