/**
 * The numbers behind the γ and β panels as two tables, each made when it is opened: the layers at the chosen moment,
 * and the moments of the training.
 */

import { options } from "../catalog.js";
import { disabledShare } from "../charts/disabled.js";
import { LEVELS, quantilesOf } from "../charts/fan.js";
import { LETTERS } from "../charts/letters.js";
import { h } from "../dom.js";
import { decimal, percent, whole } from "../format.js";

const MOST = 60;
const HEADS = LEVELS.map((level) => (level === 0.5 ? "median" : `${Math.round(level * 100)} %`));

export function moments(data, view, details) {
  return h(
    "div",
    { class: "charts-note tables" },
    folded(
      () => `${LETTERS[view.of]} of each layer at this moment, as a table`,
      () => `${view.of} ${view.snapshot(data)?.step} ${details.at(view.snapshot(data)?.step ?? 0)?.step}`,
      () => layersTable(data, view, details),
      [data, view, details],
    ),
    folded(
      () => `${LETTERS[view.of]} over the training, as a table`,
      () => `${view.scene} ${data.snapshots.at(-1)?.step} ${data.snapshots.length}`,
      () => trainingTable(data, view),
      [data, view],
    ),
  );
}

/** A folded table; while it is open it is made anew whenever `key()` is another. */
function folded(title, key, make, sources) {
  const summary = h("summary", {});
  const element = h("details", { class: "card" }, summary);
  let shown = null;
  const update = () => {
    if (summary.textContent !== title()) summary.textContent = title();
    if (!element.open || shown === key()) return;
    shown = key();
    element.replaceChildren(summary, make());
  };
  for (const source of sources) source.addEventListener("change", update);
  element.addEventListener("toggle", update);
  update();
  return element;
}

function layersTable(data, view, details) {
  const chosen = view.snapshot(data);
  const detail = chosen && details.at(chosen.step);
  if (!detail || !data.layers) return h("p", { class: "quiet" }, "No snapshot has come yet.");
  const rows = data.layers.map(({ name, channels }, index) => [
    name,
    whole(channels),
    percent(detail.disabled[index] / channels),
    ...detail[view.of].quantiles[index].map((value) => decimal(value, 3)),
  ]);
  const heads = ["Layer", "Features", `|γ| < ${options.disabled_below}`, ...HEADS];
  return table(`${LETTERS[view.of]} of each layer at epoch ${detail.epoch.toFixed(1)}`, heads, rows);
}

function trainingTable(data, view) {
  const stride = Math.ceil(data.snapshots.length / MOST);
  const rows = data.snapshots
    .filter((_, index, { length }) => index % stride === 0 || index === length - 1)
    .map((snapshot) => [
      snapshot.epoch.toFixed(2),
      percent(data.layers ? disabledShare(snapshot, data.layers) : null),
      ...quantilesOf(snapshot, view.of).map((value) => decimal(value, 3)),
    ]);
  return table(`${LETTERS[view.of]} over the training`, ["Epoch", "Off in all layers", ...HEADS], rows);
}

function table(label, heads, rows) {
  const cells = ([first, ...rest]) => [h("th", { scope: "row" }, first), ...rest.map((cell) => h("td", {}, cell))];
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": label },
    h(
      "table",
      { class: "table" },
      h("thead", {}, h("tr", {}, heads.map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, rows.map((row) => h("tr", {}, cells(row)))),
    ),
  );
}
