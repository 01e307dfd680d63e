/**
 * The table of all layers with the number of features that are off; a click on a layer shows its features.
 */

import { h } from "../../base/dom.js";
import { percent, whole } from "../../base/format.js";

/** @param {import("./operation.js").Operation} operation */
export function layerTable(operation) {
  const rows = operation.layers.map(({ name, channels, shortcut }) => {
    const button = h("button", { type: "button", class: "layer-name" }, name);
    button.addEventListener("click", () => operation.choose(name));
    const off = h("td", { class: "number" });
    const bar = h("td", {}, h("span", { class: "off-bar", "aria-hidden": "true" }));
    const row = h(
      "tr",
      {},
      h("th", { scope: "row" }, button, shortcut ? h("span", { class: "quiet" }, " shortcut") : null),
      h("td", { class: "number" }, whole(channels)),
      off,
      bar,
    );
    return { name, row, button, off, bar: bar.firstChild };
  });
  const update = () =>
    rows.forEach(({ name, row, button, off, bar }, place) => {
      const gamma = operation.gammas[place];
      const zeros = gamma.reduce((sum, value) => sum + (value === 0), 0);
      const text = zeros ? `${whole(zeros)} (${percent(zeros / gamma.length, 0)})` : "0";
      if (off.textContent !== text) off.textContent = text;
      bar.style.setProperty("--share", zeros / gamma.length);
      const chosen = name === operation.layer;
      row.classList.toggle("chosen", chosen);
      if (chosen) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    });
  operation.addEventListener("change", update);
  update();
  const heads = ["Layer", "Features", "Off", "Share"].map((title, k) =>
    h("th", { scope: "col", class: k === 1 || k === 2 ? "number" : null }, title),
  );
  return h(
    "div",
    { class: "scroll layer-scroll", tabindex: "0", role: "region", "aria-label": "Layers" },
    h("table", { class: "table layer-table" }, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, rows.map(({ row }) => row))),
  );
}
