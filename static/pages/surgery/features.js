/**
 * The features of the chosen layer as bars of their γ. The reader picks features and edits them; without a pick, edits
 * apply to the whole layer. Arrow keys move between features, space picks.
 */

import { h, show } from "../../base/dom.js";
import { whole } from "../../base/format.js";
import { MAX_EDITS } from "./operation.js";

const SHOWN = 128; // features of a wide layer at once

/** @param {import("./operation.js").Operation} operation */
export function featureBars(operation) {
  const title = h("h3", { id: "features-title" });
  const grid = h("div", { class: "features", role: "group", "aria-labelledby": "features-title" });
  const note = h("p", { class: "quiet" });
  const picked = new Set();
  let [layer, first, chips] = [null, 0, []];

  const buttons = {
    zero: action("Set γ to 0", "zero"),
    flip: action("Flip sign", "flip"),
    reset: action("As trained", "reset"),
  };
  const none = h("button", { type: "button", class: "button small", onclick: () => (picked.clear(), update()) }, "Clear selection");
  const back = h("button", { type: "button", class: "button small", onclick: () => turn(-SHOWN) }, "Previous");
  const next = h("button", { type: "button", class: "button small", onclick: () => turn(SHOWN) }, "Next");
  const pager = h("div", { class: "actions" }, back, next);

  function action(label, name) {
    const button = h("button", { type: "button", class: "button small" }, label);
    button.addEventListener("click", () => {
      const edit = { action: name, layer: operation.layer };
      if (picked.size) edit.features = [...picked].sort((a, b) => a - b);
      picked.clear();
      operation.edit(edit);
    });
    return button;
  }

  function turn(by) {
    first += by;
    build();
    update();
  }

  function build() {
    const { channels } = operation.layers[operation.place];
    chips = Array.from({ length: Math.min(SHOWN, channels - first) }, (_, k) => chip(first + k));
    grid.replaceChildren(...chips);
    if (chips.length) chips[0].tabIndex = 0;
    show(pager, channels > SHOWN);
    back.disabled = first === 0;
    next.disabled = first + SHOWN >= channels;
  }

  function chip(k) {
    const element = h(
      "button",
      { type: "button", class: "feature", tabindex: "-1", "data-feature": k },
      h("span", { class: "feature-bar", "aria-hidden": "true" }),
    );
    element.addEventListener("click", () => {
      if (!picked.delete(k)) picked.add(k);
      focus(k - first, false);
      update();
    });
    return element;
  }

  function focus(index, really = true) {
    const target = chips[Math.min(Math.max(0, index), chips.length - 1)];
    for (const one of chips) one.tabIndex = one === target ? 0 : -1;
    if (really) target.focus();
  }

  grid.addEventListener("keydown", (event) => {
    const at = chips.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: chips.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    focus(to);
  });

  function update() {
    if (layer !== operation.layer) {
      layer = operation.layer;
      first = 0;
      picked.clear();
      build();
    }
    const { name, channels, gamma: trained } = operation.layers[operation.place];
    const gamma = operation.gammas[operation.place];
    const unknown = Number.isNaN(trained[0]);
    title.textContent = name;
    const largest = Math.max(...trained.map((value) => Math.abs(value) || 0), 1e-6);
    chips.forEach((element, index) => {
      const k = first + index;
      const value = gamma[k];
      const known = !Number.isNaN(value);
      element.dataset.state = value === 0 ? "off" : value === trained[k] || !known ? "trained" : "edited";
      element.setAttribute("aria-pressed", String(picked.has(k)));
      const words = `Feature ${k}: γ ${known ? shown(value) : "random"}${value === 0 ? ", off" : ""}${known && value !== trained[k] && !unknown ? `, trained ${shown(trained[k])}` : ""}`;
      element.setAttribute("aria-label", words);
      element.title = words;
      element.style.setProperty("--size", known ? Math.abs(value) / largest : 0.5);
      element.classList.toggle("negative", value < 0);
    });
    const whose = picked.size
      ? `${whole(picked.size)} of ${whole(channels)} features selected.`
      : `Nothing selected: the buttons apply to all ${whole(channels)} features.`;
    const more = unknown ? " This layer’s γ did not train; only the worker knows its random values." : "";
    note.textContent = whose + more;
    none.disabled = picked.size === 0;
    for (const button of Object.values(buttons)) button.disabled = operation.state.edits.length >= MAX_EDITS;
  }

  operation.addEventListener("change", update);
  update();
  return h(
    "div",
    { class: "feature-panel" },
    title,
    h("p", { class: "quiet" }, "Bars show γ: up is positive, down is negative, a dashed slot is off. Click to select."),
    grid,
    pager,
    note,
    h("div", { class: "actions" }, Object.values(buttons), none),
  );
}

const shown = (value) => String(Number(value.toPrecision(3)));
