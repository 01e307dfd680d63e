/**
 * Some test images under a corruption, above each other with the clean ones. The worker makes all severities of a
 * corruption at once, so that they follow the slider without another request.
 */

import { h, show as reveal } from "../../base/dom.js";
import { sentence } from "../../base/format.js";
import { evaluate } from "../../server/evaluation.js";
import { canvasOf, fromBase64 } from "../../base/pixels.js";

/** Returns {element, begin, show}; it asks for nothing until the card in `begin(card)` is on the screen. */
export function sights(run, { shape, classes }) {
  const grid = h("div", { class: "sights", role: "img", "aria-label": "Test images" });
  const words = h("p", { class: "quiet", role: "status" });
  const element = h("figure", { class: "sights-box" }, grid, words);
  const found = new Map(); // a promise of the images by corruption
  let [name, severity, seen] = [null, 0, false];
  const drawable = shape[0] === 1 || shape[0] === 3;
  reveal(element, drawable);

  function load(corruption) {
    if (!found.has(corruption)) {
      const asked = evaluate(run.id, { sight: { corruption } }, () => {}).then(({ result }) => result);
      asked.catch(() => found.delete(corruption)); // the next change asks again
      found.set(corruption, asked);
    }
    return found.get(corruption);
  }

  async function draw() {
    if (!seen || !drawable) return;
    const asked = name;
    if (!found.has(asked)) words.textContent = "The worker is preparing the pictures…";
    try {
      const result = await load(asked);
      if (asked === name) paint(result);
    } catch (error) {
      if (asked !== name) return;
      grid.replaceChildren();
      words.textContent = `No pictures: ${sentence(error.message)}`;
    }
  }

  function paint({ images, shape: size, strength, strengths }) {
    const row = (level) => images.map(({ pixels }) => canvasOf(fromBase64(pixels[level]), size));
    const labels = images.map(({ label }) => classes[label]);
    grid.replaceChildren(
      ...row(0),
      ...(severity ? row(severity) : []),
      ...labels.map((label) => h("span", { class: "quiet" }, label)),
    );
    grid.style.setProperty("--count", images.length);
    grid.setAttribute("aria-label", `Test images, clean${severity ? ` and below them at severity ${severity}` : ""}: ${labels.join(", ")}`);
    words.textContent = severity ? `Above: clean. Below: ${strengths[severity - 1]}, the ${strength}.` : "Clean test images.";
  }

  return {
    element,
    /** Begins to show pictures once `card` is on the screen. */
    begin(card) {
      const watch = new IntersectionObserver((entries) => {
        if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
        watch.disconnect();
        seen = true;
        draw();
      });
      watch.observe(card);
    },
    /** Shows the images under `corruption` at `level`. */
    show(corruption, level) {
      [name, severity] = [corruption, level];
      draw();
    },
  };
}
