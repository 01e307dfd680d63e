/**
 * The table of all layers with the number of features that are off; a click on a layer shows its features. It is one
 * tab stop, in which the arrow keys lead from layer to layer.
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
      button.tabIndex = chosen ? 0 : -1;
      if (chosen) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    });
  const body = h("tbody", {}, rows.map(({ row }) => row));
  body.addEventListener("keydown", (event) => {
    const at = rows.findIndex(({ button }) => button === event.target);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (at < 0 || to === undefined || !rows[to]) return;
    event.preventDefault();
    operation.choose(rows[to].name);
    rows[to].button.focus();
  });
  operation.addEventListener("change", update);
  update();
  const heads = ["Layer", "Features", "Off", "Share"].map((title, k) =>
    h("th", { scope: "col", class: k === 1 || k === 2 ? "number" : null }, title),
  );
  return h(
    "div",
    { class: "scroll layer-scroll", tabindex: "0", role: "region", "aria-label": "Layers" },
    h("table", { class: "table layer-table" }, h("thead", {}, h("tr", {}, heads)), body),
  );
}
