/**
 * The threshold on |γ|: a slider, the accuracy that the stored ablation gives at once, and the ablation as a chart.
 */

import { ablation } from "../../charts/ablation.js";
import { chartFold } from "../../charts/numbers.js";
import { h, say } from "../../base/dom.js";
import { NONE, percent, whole } from "../../base/format.js";

const USUAL = [0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5];
const BETWEEN = 8; // slider stops from one stored threshold to the next

/** @param {import("./operation.js").Operation} operation @param {object[]} rows the stored ablation; may be empty */
export function threshold(operation, rows, { spec }) {
  const stops = stopsOf(rows.length ? rows.map(({ epsilon }) => epsilon) : USUAL);
  const slider = h("input", {
    type: "range",
    min: 0,
    max: stops.length - 1,
    step: 1,
    id: "threshold",
    "aria-describedby": "threshold-says",
  });
  const output = h("output", { for: "threshold", class: "threshold-value" });
  const element = h(
    "section",
    { class: "card threshold", "aria-labelledby": "threshold-title" },
    h("h2", { id: "threshold-title" }, "Switch off small γ"),
    h(
      "div",
      { class: "threshold-line" },
      h("label", { for: "threshold" }, "Set γ to 0 where |γ| < ε ="),
      output,
    ),
    slider,
    h(
      "dl",
      { class: "stats", id: "threshold-says", "aria-live": "polite" },
      stat("Test accuracy, stored", "stored"),
      stat("γ below ε", "below"),
    ),
  );
  const place = () => placeOf(operation.state.eps, stops);
  let chart = null;
  if (rows.length) {
    const box = h("div", { class: "plot" });
    element.append(box);
    chart = ablation(box, rows, spec.policy, place);
    element.append(chartFold("Accuracy with small γ removed", chart, () => "onlybn-ablation").element);
  }
  slider.addEventListener("input", () => operation.move(stops[slider.value]));
  slider.addEventListener("change", () => operation.setThreshold(stops[slider.value]));

  const update = () => {
    const { eps } = operation.state;
    const nearest = String(Math.round(place() * BETWEEN));
    if (slider.value !== nearest) slider.value = nearest;
    output.textContent = String(eps);
    slider.setAttribute("aria-valuetext", `ε = ${eps}`);
    const below = belowOf(operation.layers, eps);
    const all = operation.totals.all;
    say(element, "below", whole(below.count));
    say(element, "below-more", `${percent(below.count / all)} of ${whole(all)}${below.unknown ? `; ${whole(below.unknown)} are not known here` : ""}`);
    const stored = storedAt(rows, eps, below, all);
    say(element, "stored", stored.value);
    say(element, "stored-more", stored.more);
    chart?.refresh();
  };
  operation.addEventListener("change", update);
  update();
  return element;
}

function stat(label, name) {
  return h(
    "div",
    {},
    h("dt", {}, label),
    h("dd", { "data-slot": name }, NONE),
    h("dd", { class: "quiet", "data-slot": `${name}-more` }),
  );
}

/** All stored thresholds, with BETWEEN - 1 stops between each two. */
function stopsOf(stored) {
  const stops = stored.slice(0, -1).flatMap((low, k) => {
    const step = (stored[k + 1] - low) / BETWEEN;
    return Array.from({ length: BETWEEN }, (_, part) => Number((low + part * step).toPrecision(3)));
  });
  return [...stops, stored.at(-1)];
}

/** The position of `eps` among the stored thresholds, in rows from the first. */
function placeOf(eps, stops) {
  const after = stops.findIndex((stop) => stop >= eps);
  return (after < 0 ? stops.length - 1 : after) / BETWEEN;
}

function belowOf(layers, eps) {
  const limit = Math.fround(eps);
  let [count, unknown] = [0, 0];
  for (const { gamma } of layers)
    for (const value of gamma) {
      count += Math.abs(value) < limit;
      unknown += Number.isNaN(value);
    }
  return { count, unknown };
}

/**
 * The accuracy for `eps` by the stored ablation: exact if a stored threshold is `eps` or zeroes the same number of γ,
 * else the two values that it lies between.
 */
function storedAt(rows, eps, below, all) {
  if (!rows.length) return { value: NONE, more: "This run was not analysed; evaluate to measure it." };
  const same = ({ epsilon, zeroed }) => epsilon === eps || (!below.unknown && Math.round(zeroed * all) === below.count);
  const exact = rows.find(same);
  const points = (change) => `${change >= 0 ? "+" : "−"}${Math.abs(change * 100).toFixed(1)} points`;
  if (exact) return { value: percent(exact.top1), more: exact.change === 0 ? "as trained" : `${points(exact.change)} from the trained network` };
  const next = rows.findIndex(({ epsilon }) => epsilon > eps);
  if (next < 0) return { value: NONE, more: "Outside the stored range; evaluate to measure it." };
  const [low, high] = [rows[next - 1], rows[next]];
  const [a, b] = [low.top1, high.top1].sort((x, y) => x - y);
  return {
    value: a === b ? `≈ ${percent(a)}` : `${percent(a).replace(/\D+$/, "")}–${percent(b)}`,
    more: `stored for ε = ${low.epsilon} and ${high.epsilon}; evaluate to measure values in between`,
  };
}
