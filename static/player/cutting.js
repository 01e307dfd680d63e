/**
 * The card with ε: what is left of the network when all features with a small γ are switched off.
 */

import { h } from "../base/dom.js";
import { percent, whole } from "../base/format.js";
import { DEAD } from "./playing.js";

const STEPS = 200;
const REST_MS = 150;

export function cutting(playing) {
  const largest = 1.01 * Math.max(...playing.gammas.map(Math.abs));
  const folded = playing.network.origin === "link";
  const symbol = folded ? "|γ/σ|" : "|γ|";
  const value = h("output", { class: "threshold-value" });
  const off = h("dd", {});
  const accuracy = h("dd", { role: "status" }, "measuring ...");
  const slider = h("input", { type: "range", min: 0, max: STEPS, value: 0, id: "player-epsilon" });
  let [resting, round] = [null, 0];

  function measure() {
    const own = (round += 1);
    if (!playing.images) return;
    playing.accuracy(() => own === round).then((share) => share !== null && (accuracy.textContent = percent(share)));
  }

  slider.addEventListener("input", () => {
    playing.cut((slider.value / STEPS) ** 2 * largest);
    update();
    if (playing.images) accuracy.textContent = "measuring ...";
    clearTimeout(resting);
    resting = setTimeout(measure, REST_MS);
  });

  function update() {
    const { epsilon } = playing;
    const shown = epsilon ? epsilon.toPrecision(2) : "0";
    value.textContent = `ε = ${shown}`;
    slider.setAttribute("aria-valuetext", `ε ${shown}`);
    const count = playing.below(epsilon);
    off.replaceChildren(`${whole(count)} of ${whole(playing.gammas.length)}`, h("span", { class: "quiet" }, ` (${percent(count / playing.gammas.length)})`));
  }
  update();
  measure();
  const dead = folded ? "" : ` Training itself brought ${whole(playing.below(DEAD))} of them below ${DEAD}.`;
  return h(
    "section",
    { class: "card threshold", "aria-labelledby": "threshold-title" },
    h("h2", { id: "threshold-title" }, "Switch features off"),
    h("p", { class: "quiet" }, `Every feature with ${symbol} below ε is set to 0.${dead}`),
    h("div", { class: "threshold-line" }, h("label", { for: "player-epsilon" }, `Threshold for ${symbol}`), value),
    slider,
    h("dl", { class: "stats" }, h("div", {}, h("dt", {}, "Features off"), off), playing.images ? h("div", {}, h("dt", {}, "Accuracy here"), accuracy) : null),
  );
}
