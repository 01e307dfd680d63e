/**
 * The smoothing of the train curves: from the link, or else the last choice in this browser. It affects charts only;
 * tables and downloads have the measured values.
 */

import { rewrite } from "../../base/address.js";
import { h } from "../../base/dom.js";
import { get, set } from "../../base/storage.js";

const KEY = "onlybn.smoothing";
const MOST = 0.98;
const NAME = "smooth"; // as in a comparison

/** Has a `weight` in 0..0.98 and a slider as its `element`; dispatches "change". */
export class Smoothing extends EventTarget {
  weight = Math.min(MOST, Math.max(0, Number(new URLSearchParams(location.search).get(NAME) ?? get(KEY)) || 0));

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
    slider.addEventListener("change", () => {
      set(KEY, this.weight ? String(this.weight) : null);
      this.write();
    });
    draw();
    if (this.weight) this.write(); // so that a shared address shows the same curves
    this.element = h(
      "div",
      { class: "smoothing" },
      h("label", { for: "smoothing" }, "Smoothing"),
      slider,
      words,
    );
  }

  write() {
    const query = new URLSearchParams(location.search);
    if (this.weight) query.set(NAME, this.weight);
    else query.delete(NAME);
    rewrite(query);
  }
}
