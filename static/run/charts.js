/**
 * A run's panels: accuracy, loss, γ now, γ over time, disabled features; and the choice of the layer that the γ
 * panels show.
 */

import { curves } from "../charts/curves.js";
import { disabledByLayer, disabledOverTime } from "../charts/disabled.js";
import { heatmap } from "../charts/heatmap.js";
import { histogram } from "../charts/histogram.js";
import { h } from "../dom.js";
import { whole } from "../format.js";

export function charts(data, feed) {
  return h(
    "div",
    { class: "charts" },
    h("div", { class: "charts-head" }, h("h2", {}, "Curves")),
    panel("Accuracy", null, (box) => curves(box, data, "top1")),
    panel("Loss", null, (box) => curves(box, data, "loss")),
    ...(data.run.spec.norm.affine ? gammaPanels(data, feed) : [withoutGamma()]),
  );
}

/** What there is to see of γ, the scale of each feature. */
function gammaPanels(data, feed) {
  return [
    h("div", { class: "charts-head" }, h("h2", {}, "γ, the scale of each feature"), layerChoice(data, feed)),
    panel("γ now", "Share of the features with each value.", (box) => histogram(box, data)),
    panel("γ over time", "Each column is a moment; the colour says how many features.", (box) => heatmap(box, data)),
    panel("Disabled features by layer", "A feature whose γ is almost zero is switched off.", (box) =>
      disabledByLayer(box, data),
    ),
    panel("Disabled features over time", "Of all layers together.", (box) => disabledOverTime(box, data)),
  ];
}

function withoutGamma() {
  return h("p", { class: "quiet charts-note" }, "This network’s norm layers have no γ and β: there is no γ to show.");
}

/** A card with a title, a caption and what `draw(box)` draws; `wide`: over all columns. */
export function panel(title, caption, draw, wide = false) {
  const box = h("div", { class: "plot" });
  const figure = h(
    "figure",
    { class: wide ? "card chart charts-note" : "card chart" },
    h("figcaption", {}, h("h3", {}, title), caption ? h("p", { class: "quiet" }, caption) : null),
    box,
  );
  draw(box);
  return figure;
}

function layerChoice(data, feed) {
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
  });
  select.addEventListener("change", () => feed.setLayer(select.value === "" ? null : Number(select.value)));
  return select;
}
