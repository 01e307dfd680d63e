/**
 * γ and β of a run: a card for one moment and a card for the development over time, each with several views that share
 * parameter, layer and moment.
 */

import { LETTERS } from "../../server/catalog.js";
import { h } from "../../base/dom.js";
import { whole } from "../../base/format.js";
import { Snapshots } from "./snapshots.js";
import { player } from "./player.js";
import { tabbed } from "./tabs.js";

/** `view` is the page's View. */
export function features(data, feed, view) {
  const snapshots = new Snapshots(data.id);
  const letter = () => LETTERS[view.of];
  const OFF = "A feature whose γ is almost zero is switched off.";
  const now = {
    histogram: {
      title: "Histogram",
      caption: () => "Share of features at each value.",
      load: (box) => load("histogram", (chart) => chart.histogram(box, data, view)),
    },
    ridge: {
      title: "Layers",
      caption: () => `${letter()} of each layer, from input (top) to output. All hills are drawn equally high.`,
      load: (box) => load("ridge", (chart) => chart.ridge(box, data, view, snapshots)),
    },
    disabled: {
      title: "Off",
      caption: () => OFF,
      load: (box) => load("disabled", (chart) => chart.disabledByLayer(box, data, view)),
    },
  };
  const over = {
    heatmap: {
      title: "Values",
      caption: () => "Each column is a snapshot; colour shows the number of features.",
      load: (box) => load("heatmap", (chart) => chart.heatmap(box, data, view)),
    },
    fan: {
      title: "Quantiles",
      caption: () =>
        view.layer === null
          ? `The range in which most features’ ${letter()} lies, estimated from the histogram.`
          : `The range in which most of this layer’s ${letter()} lies.`,
      load: (box) => load("fan", (chart) => chart.fan(box, data, view)),
    },
    layers: {
      title: "Disabled by layer",
      caption: () => "Each row is a layer, from input (top) to output; colour shows the share that is off.",
      load: (box) => load("disabled", (chart) => chart.disabledOfLayers(box, data, view)),
    },
    disabled: {
      title: "Disabled, total",
      caption: () => "Share of disabled features over all layers.",
      load: (box) => load("disabled", (chart) => chart.disabledOverTime(box, data, view)),
    },
  };
  const cards = [
    tabbed("Now", now, () => view.now, (key) => view.set({ now: key })),
    tabbed("Over time", over, () => view.over, (key) => view.set({ over: key })),
  ];
  view.addEventListener("change", () => cards.forEach((card) => card.update()));
  return [
    h(
      "div",
      { class: "charts-head features-head" },
      h("h2", {}, "γ and β, the scale and shift of each feature"),
      h("div", { class: "features-choice" }, parameterChoice(view), layerChoice(data, feed, view)),
    ),
    h("div", { class: "charts-note" }, player(data, view)),
    ...cards.map(({ element }) => element),
  ];
}

/** Loads a chart's module when the reader opens its view. */
const load = (name, draw) => import(`../../charts/${name}.js`).then(draw);

function parameterChoice(view) {
  const buttons = Object.entries(LETTERS).map(([of, letter]) =>
    h("button", { type: "button", onclick: () => view.set({ of }) }, letter),
  );
  const update = () =>
    Object.keys(LETTERS).forEach((of, index) => buttons[index].setAttribute("aria-pressed", String(view.of === of)));
  view.addEventListener("change", update);
  update();
  return h("div", { class: "segments", role: "group", "aria-label": "γ or β" }, buttons);
}

function layerChoice(data, feed, view) {
  const select = h(
    "select",
    { class: "select", "aria-label": "Layer of the γ panels" },
    h("option", { value: "" }, "All layers"),
  );
  data.addEventListener("change", () => {
    if (select.options.length > 1 || !data.layers) return;
    select.append(
      ...data.layers.map(({ name, channels }, index) => h("option", { value: index }, `${name} (${whole(channels)})`)),
    );
    if (view.layer >= data.layers.length) view.set({ layer: null });
    select.value = view.layer ?? "";
  });
  let { layer } = view;
  view.addEventListener("change", () => {
    if (view.layer === layer) return;
    layer = view.layer;
    select.value = layer ?? "";
    feed.setLayer(layer);
  });
  select.addEventListener("change", () => view.set({ layer: select.value === "" ? null : Number(select.value) }));
  return select;
}
