/**
 * The picture of the network with its features as stripes; features that are off are missing.
 */

import { networkPicture } from "../../charts/network/picture.js";
import { h } from "../../base/dom.js";
import { percent, whole } from "../../base/format.js";

/** `plan`: from the response of /api/preview; its units have the order of the layers. */
export function picture(operation, plan) {
  const box = h("div", { class: "network-box" });
  const drawing = networkPicture(box);
  const update = () => drawing.draw(withHoles(plan, operation));
  operation.addEventListener("change", update);
  update();
  return h(
    "section",
    { class: "card", "aria-labelledby": "picture-title" },
    h("h2", { id: "picture-title" }, "Remaining features"),
    box,
    h(
      "p",
      { class: "legend" },
      h("span", { class: "legend-item" }, h("span", { class: "key", "aria-hidden": "true" }), "a layer; its height is its number of features"),
      h("span", { class: "legend-item" }, h("span", { class: "key gap", "aria-hidden": "true" }), "missing stripe: a feature that is off (γ = 0)"),
    ),
  );
}

function withHoles(plan, { layers, gammas, totals }) {
  let place = 0;
  const holed = (unit) => {
    const gamma = gammas[place];
    place += 1;
    return { ...unit, off: Array.from(gamma, (value) => value === 0) };
  };
  const stem = holed(plan.stem);
  const blocks = plan.blocks.map(({ units, shortcut, ...rest }) => ({
    ...rest,
    units: units.map(holed),
    shortcut: shortcut && holed(shortcut),
  }));
  const words = `The network’s ${whole(layers.length)} layers: ${whole(totals.off)} of ${whole(totals.all)} features (${percent(totals.off / totals.all)}) are off. The table below lists them.`;
  return { ...plan, stem, blocks, words };
}
