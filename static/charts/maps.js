/**
 * The feature maps of a layer for an image, with marks on those that are off.
 */

import { h } from "../base/dom.js";
import { whole } from "../base/format.js";
import { onTheme } from "../base/theme.js";
import { fromBase64 } from "../base/pixels.js";
import { paint } from "../images/painting.js";

const OFF = " A feature that is off equals β everywhere (dashed frame).";

/**
 * The maps of a look's result, at most `most` at a time; `more(first)` looks again from feature `first` on. `words` say
 * what is off.
 */
export function featureMaps(result, { maps: most, layers }, more, words = OFF) {
  const { layer, first, off, maps } = result;
  const [count, height, width] = maps.shape;
  const levels = new Int8Array(fromBase64(maps.levels).buffer);
  const size = height * width;
  const canvases = off.map(() => Object.assign(document.createElement("canvas"), { width, height }));
  const all = () => canvases.forEach((canvas, k) => paint(canvas, levels.subarray(k * size, (k + 1) * size)));
  all();
  onTheme(all);
  const figures = canvases.map((canvas, k) => {
    canvas.setAttribute("aria-hidden", "true");
    return h("figure", { class: off[k] ? "map off" : "map" }, canvas, h("figcaption", {}, `${first + k}${off[k] ? " off" : ""}`));
  });
  const { channels } = layers.find(({ name }) => name === layer);
  const turn = (label, to) =>
    h("button", { type: "button", class: "button small", disabled: to < 0 || to >= channels, onclick: () => more(to) }, label);
  return h(
    "div",
    { class: "maps" },
    h("h3", {}, `Feature maps of ${layer}`),
    h(
      "p",
      { class: "quiet" },
      h("span", { class: "key negative", "aria-hidden": "true" }),
      " negative: the next ReLU sets it to 0; ",
      h("span", { class: "key positive", "aria-hidden": "true" }),
      ` positive. Full colour is ${maps.scale.toPrecision(3)}.${words}`,
    ),
    h("div", { class: "map-grid", role: "group", "aria-label": `Feature maps ${first} to ${first + count - 1} of ${layer}; off: ${off.filter(Boolean).length}` }, figures),
    channels > most
      ? h("div", { class: "actions" }, turn("Previous maps", first - most), turn("Next maps", first + most), h("span", { class: "quiet" }, `${whole(first)}–${whole(first + count - 1)} of ${whole(channels)}`))
      : null,
  );
}
