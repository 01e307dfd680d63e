/**
 * The card "Try an image": its source, the button, and the predictions of the trained and the edited network.
 */

import { h, show } from "../../base/dom.js";
import { toRequest } from "./edits.js";
import { job } from "../../site/job.js";
import { featureMaps } from "../../charts/maps.js";
import { predictions, seen } from "./predictions.js";
import { source } from "./source.js";

/** @param {import("./operation.js").Operation} operation */
export function tryImage(operation, run, parameters) {
  const layer = h("select", { class: "select", id: "map-layer" });
  layer.append(...operation.layers.map(({ name }) => h("option", { value: name }, name)));
  layer.addEventListener("change", () => operation.choose(layer.value));
  const result = h("div", { class: "looked", hidden: true, "data-slot": "looked" });
  const stale = h("p", { class: "note", hidden: true }, "The edits or the layer have changed. Classify the image again.");
  let [first, asked] = [0, null];

  const request = () => ({ edits: toRequest(operation.state), look: { ...image.look(), layer: operation.layer, first } });
  const key = () => JSON.stringify([toRequest(operation.state), operation.layer]);
  const work = job(
    run,
    "Classify",
    () => {
      asked = key();
      return request();
    },
    ({ result: found }) => {
      result.replaceChildren(
        seen(found, parameters.classes),
        predictions(found),
        featureMaps(found, parameters, (to) => start(to)),
      );
      show(result, true);
      update();
    },
  );
  const start = (from) => {
    first = from;
    return work.start();
  };
  const image = source(parameters, () => start(0));
  // The button also starts with the layer's first maps.
  work.button.addEventListener("click", () => (first = 0), { capture: true });

  function update() {
    layer.value = operation.layer;
    show(stale, !result.hidden && asked !== key());
  }
  operation.addEventListener("change", update);
  update();
  return h(
    "section",
    { class: "card try", "aria-labelledby": "try-title" },
    h("h2", { id: "try-title" }, "Try an image"),
    h(
      "div",
      { class: "try-form" },
      image.element,
      h("div", { class: "source" }, h("label", { for: "map-layer" }, "Feature maps of"), layer, work.element),
    ),
    stale,
    result,
  );
}
