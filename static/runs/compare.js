/**
 * The overlay: one curve for each chosen run, colour by policy, dash by architecture, and a legend that says what
 * each run is.
 */

import { architectureTitle, datasetOf, nameOf, policyOf } from "../catalog.js";
import { overlay, QUANTITIES } from "../charts/overlay.js";
import { styleOf } from "../charts/colors.js";
import { h, s, show } from "../dom.js";
import { percent, whole } from "../format.js";
import { onTheme } from "../theme.js";
import { badge } from "../widgets.js";

export const MAX_CHOSEN = 20;

/** `chosen` is the set of ids; `choose(id, false)` takes one out. `update()` after every change of the set. */
export function compare(feed, chosen, choose) {
  const watched = new Map();
  const entries = new Map();
  let quantity = "test";
  const plot = h("div", { class: "plot tall" });
  const legend = h("ol", { class: "legend-list" });
  const hint = h("p", { class: "quiet compare-hint" }, "Tick runs in the table to lay their curves over each other.");
  const card = h(
    "div",
    { class: "card overlay", hidden: true },
    h("div", { class: "overlay-head" }, h("h2", {}, "Compared"), switches()),
    plot,
    legend,
  );
  const chart = overlay(
    plot,
    () => [...watched.values()],
    () => quantity,
  );

  function switches() {
    const buttons = Object.entries(QUANTITIES).map(([key, { title }]) => {
      const button = h("button", { type: "button", "aria-pressed": String(key === quantity) }, title);
      button.addEventListener("click", () => {
        quantity = key;
        buttons.forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
        chart.refresh();
      });
      return button;
    });
    return h("div", { class: "segments", role: "group", "aria-label": "What the curves show" }, buttons);
  }

  function update() {
    for (const id of watched.keys()) {
      if (chosen.has(id)) continue;
      feed.unwatch(id);
      watched.delete(id);
    }
    for (const id of chosen) {
      if (watched.has(id)) continue;
      const data = feed.watch(id);
      watched.set(id, data);
      data.addEventListener("change", fresh);
    }
    show(card, chosen.size > 0);
    show(hint, chosen.size === 0);
    fresh();
  }

  function fresh() {
    chart.refresh();
    for (const [id, data] of watched) {
      if (!entries.has(id) && (data.run || data.missing)) entries.set(id, entry(data, choose));
      entries.get(id)?.update();
    }
    for (const id of entries.keys()) if (!watched.has(id)) entries.delete(id);
    const wanted = [...watched.keys()].map((id) => entries.get(id)).filter(Boolean);
    if (wanted.length !== legend.children.length || wanted.some((element, index) => legend.children[index] !== element))
      legend.replaceChildren(...wanted);
  }

  onTheme(() => {
    entries.clear(); // The swatches have other colours now.
    fresh();
  });
  return { element: h("section", { "aria-label": "Comparison" }, hint, card), update };
}

/** A run's line in the legend, made once; `update()` changes in place what moves. */
function entry(data, choose) {
  return data.missing ? missingEntry(data.id, choose) : runEntry(data, choose);
}

function missingEntry(id, choose) {
  const element = h(
    "li",
    {},
    h("span", { class: "legend-words quiet" }, `There is no run ${id} on this server.`),
    removal(id, id, choose),
  );
  return Object.assign(element, { update() {} });
}

function runEntry(data, choose) {
  const { id, run } = data;
  const { spec } = run;
  const what = [
    architectureTitle(spec.architecture),
    policyOf(spec.policy).title,
    datasetOf(spec.dataset).title,
    `${spec.epochs} epochs`,
    `replicate ${spec.replicate}`,
  ];
  const state = badge(run);
  const result = h("b");
  const element = h(
    "li",
    {},
    swatch(styleOf(spec)),
    h(
      "span",
      { class: "legend-words" },
      h("a", { href: run.url }, run.name || what.slice(0, 3).join(" · ")),
      h(
        "span",
        { class: "quiet" },
        `${(run.name ? what : what.slice(3)).join(" · ")} · ${whole(run.counts.trainable)} trainable`,
      ),
    ),
    state,
    result,
    removal(id, nameOf(run), choose),
  );
  const update = () => {
    state.update(data.run);
    result.textContent = percent(data.run.result?.top1 ?? data.run.top1);
  };
  return Object.assign(element, { update });
}

function removal(id, name, choose) {
  return h(
    "button",
    { type: "button", class: "icon-button", "aria-label": `Take ${name} out`, onclick: () => choose(id, false) },
    "×",
  );
}

const DASH_ARRAYS = {
  solid: null,
  dash: "7 4",
  dot: "2 3",
  dashdot: "7 3 2 3",
  longdash: "11 4",
  longdashdot: "11 3 2 3",
};

function swatch({ color, dash }) {
  const line = s("line", {
    x1: 1,
    x2: 31,
    y1: 5,
    y2: 5,
    stroke: color,
    "stroke-width": 3,
    "stroke-dasharray": DASH_ARRAYS[dash],
  });
  return s("svg", { width: 32, height: 10, "aria-hidden": "true" }, line);
}
