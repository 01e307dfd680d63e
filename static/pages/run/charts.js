/**
 * A run's charts: accuracy and loss, γ and β, learning rate and speed.
 */

import { ask } from "../../server/api.js";
import { curves } from "../../charts/curves.js";
import { chartFold } from "../../charts/numbers.js";
import { learningRate } from "../../charts/schedule.js";
import { speed } from "../../charts/speed.js";
import { h } from "../../base/dom.js";
import { features } from "./features.js";
import { fileName, pictureMenu } from "./pictures.js";
import { Smoothing } from "./smoothing.js";

/** `view`: the reader's choices (view.js); `rivals`: runs to compare with (rivals.js). */
export function charts(data, feed, view, rivals) {
  const smoothing = new Smoothing();
  const schedule = ask(`/api/runs/${data.id}/schedule`).catch(() => null);
  return h(
    "div",
    { class: "charts" },
    h("div", { class: "charts-head" }, h("h2", {}, "Curves"), smoothing.element),
    panel("Accuracy", null, (box) => curves(box, data, "top1", smoothing, rivals)),
    panel("Loss", null, (box) => curves(box, data, "loss", smoothing, rivals)),
    ...(data.run.spec.norm.affine ? features(data, feed, view) : [withoutGamma()]),
    h("div", { class: "charts-head screen-only" }, h("h2", {}, "Pace")),
    panel("Learning rate", null, (box) => learningRate(box, data, schedule), { paper: false }),
    panel("Images per second", "During training; a moving average over about 50 steps.", (box) => speed(box, data), { paper: false }),
  );
}

function withoutGamma() {
  return h("p", { class: "quiet charts-note" }, "This network’s norm layers have no γ and β, so there is no γ to show.");
}

/**
 * A card with a title, a caption, the chart that `draw(box)` makes, and its numbers. `wide`: over all columns; `paper`:
 * whether it is printed.
 */
export function panel(title, caption, draw, { wide = false, paper = true } = {}) {
  const box = h("div", { class: "plot" });
  const chart = draw(box);
  return h(
    "figure",
    { "aria-label": title, class: ["card chart", wide && "charts-note", !paper && "screen-only"].filter(Boolean).join(" ") },
    h(
      "figcaption",
      {},
      h("div", { class: "chart-head" }, h("h3", {}, title), pictureMenu(title, () => chart)),
      caption ? h("p", { class: "quiet" }, caption) : null,
    ),
    box,
    chartFold(title, chart, () => fileName(title)).element,
  );
}
