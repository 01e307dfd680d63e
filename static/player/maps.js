/**
 * The card with the feature maps of a layer for the image that is looked at.
 */

import { h, show } from "../base/dom.js";
import { whole } from "../base/format.js";
import { onTheme } from "../base/theme.js";
import { paint } from "../images/painting.js";
import { DEAD } from "./playing.js";

const MOST = 64; // maps at once

export function maps(playing) {
  const { plan } = playing.built;
  const layers = [
    { name: "stem.relu", unit: plan.units[0] },
    ...plan.blocks.flatMap(({ name, units }) => units.map((place, i) => ({ name: `${name}.relu${i + 1}`, unit: plan.units[place] }))),
  ];
  const select = h("select", { class: "select", id: "player-layer" }, layers.map(({ name }, i) => h("option", { value: i }, name)));
  const grid = h("div", { class: "map-grid" });
  const note = h("p", { class: "quiet" });
  const none = h("p", { class: "quiet" }, "Choose or draw an image to see what each feature makes of it.");
  let first = 0;
  const back = h("button", { type: "button", class: "button small", onclick: () => turn(-MOST) }, "Previous maps");
  const next = h("button", { type: "button", class: "button small", onclick: () => turn(MOST) }, "Next maps");
  const pager = h("div", { class: "actions" }, back, next);

  function turn(by) {
    first += by;
    update();
  }

  select.addEventListener("change", () => {
    first = 0;
    update();
  });

  function update() {
    const found = playing.look();
    const { name, unit } = layers[Number(select.value)];
    show(none, !found);
    show(grid, Boolean(found));
    const { outputs: channels, size } = unit.conv;
    show(pager, channels > MOST);
    back.disabled = first === 0;
    next.disabled = first + MOST >= channels;
    if (!found) return;
    const { values } = found.outputs.get(name);
    const top = values.reduce((most, value) => Math.max(most, value), 1e-9);
    const gamma = playing.built.part("gamma", unit).slice();
    const folded = playing.network.origin === "link";
    let silent = 0;
    for (let k = 0; k < channels; k += 1) if (isSilent(values, k, channels)) silent += 1;
    const figures = Array.from({ length: Math.min(MOST, channels - first) }, (_, i) => {
      const k = first + i;
      const canvas = h("canvas", { width: size, height: size, "aria-hidden": "true" });
      const levels = new Int8Array(size * size);
      for (let pixel = 0; pixel < levels.length; pixel += 1) levels[pixel] = Math.round((values[pixel * channels + k] / top) * 127);
      paint(canvas, levels);
      const off = Math.abs(gamma[k]) < (folded ? 1e-9 : DEAD);
      const words = off ? `${k} off` : isSilent(values, k, channels) ? `${k} silent` : String(k);
      return h("figure", { class: off ? "map off" : "map" }, canvas, h("figcaption", {}, words));
    });
    grid.replaceChildren(...figures);
    note.textContent = `${whole(channels)} features of ${size} × ${size}; ${whole(silent)} silent for this image. Full colour is ${top.toPrecision(3)}. Dashed: switched off by γ.`;
  }

  playing.addEventListener("image", update);
  playing.addEventListener("edit", update);
  onTheme(update);
  update();
  return h(
    "section",
    { class: "card", "aria-labelledby": "maps-title" },
    h("h2", { id: "maps-title" }, "Feature maps"),
    h("div", { class: "player-layer" }, h("label", { for: "player-layer" }, "Behind the ReLU"), select),
    none,
    grid,
    pager,
    note,
  );
}

function isSilent(values, k, channels) {
  for (let at = k; at < values.length; at += channels) if (values[at] > 0) return false;
  return true;
}
