/**
 * How much the train curves are smoothed, kept in this browser. Only the picture: tables and downloads are as measured.
 */

import { h } from "../dom.js";
import { get, set } from "../storage.js";

const KEY = "onlybn.smoothing";
const MOST = 0.98;

/** Has a `weight` in 0..0.98 and a slider as its `element`; dispatches "change". */
export class Smoothing extends EventTarget {
  weight = Math.min(MOST, Math.max(0, Number(get(KEY)) || 0));

  constructor() {
    super();
    const words = h("span", { class: "smoothing-weight" });
    const slider = h("input", { type: "range", min: 0, max: MOST, step: 0.02, value: this.weight, id: "smoothing" });
    const draw = () => {
      slider.style.setProperty("--share", this.weight / MOST);
      words.textContent = this.weight ? this.weight.toFixed(2) : "none";
    };
    slider.addEventListener("input", () => {
      this.weight = Number(slider.value);
      draw();
      this.dispatchEvent(new Event("change"));
    });
    slider.addEventListener("change", () => set(KEY, this.weight ? String(this.weight) : null));
    draw();
    this.element = h(
      "div",
      { class: "smoothing" },
      h("label", { for: "smoothing" }, "Smoothing"),
      slider,
      words,
    );
  }
}
