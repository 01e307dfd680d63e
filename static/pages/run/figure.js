/**
 * One figure of a run, for a frame in another site: `?embed=1&figure=accuracy`. It follows a live run.
 */

import { h } from "../../base/dom.js";
import { badge } from "../../base/widgets.js";
import { curves } from "../../charts/curves.js";
import { nameOf } from "../../server/catalog.js";
import { Smoothing } from "./smoothing.js";

const FIGURES = {
  accuracy: (box, data, { rivals }) => curves(box, data, "top1", new Smoothing(), rivals),
  loss: (box, data, { rivals }) => curves(box, data, "loss", new Smoothing(), rivals),
  gamma: (box, data, { view }) => import("../../charts/histogram.js").then((chart) => chart.histogram(box, data, view)),
  disabled: (box, data, { view }) => import("../../charts/disabled.js").then((chart) => chart.disabledOverTime(box, data, view)),
};

/** The figure `name` of `data`, with the run's name and state over it. `parts`: {view, rivals} of the page. */
export function oneFigure(name, data, parts) {
  if (!Object.hasOwn(FIGURES, name)) return h("p", { class: "problem" }, `A run has the figures ${Object.keys(FIGURES).join(", ")}.`);
  const state = badge(data.run);
  const title = h("a", { href: data.run.url }, nameOf(data.run));
  const box = h("div", { class: "plot" });
  data.addEventListener("change", () => state.update(data.run));
  FIGURES[name](box, data, parts);
  return h("figure", { class: "one-figure" }, h("figcaption", {}, h("h1", {}, title), state), box);
}
