/**
 * The network's predictions for an image: the image, and bars over the classes, as trained and edited.
 */

import { h } from "../../base/dom.js";
import { percent } from "../../base/format.js";
import { canvasOf, fromBase64 } from "../../base/pixels.js";

/** The image of a look's result; `classes` are the names of all classes. */
export function seen({ image, label }, classes) {
  const canvas = canvasOf(fromBase64(image.pixels), image.shape);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label === null ? "The image" : `Test image of class ${classes[label]}`);
  return h(
    "figure",
    { class: "seen" },
    canvas,
    h("figcaption", { class: "quiet" }, label === null ? "Your image" : ["Label: ", h("strong", {}, classes[label])]),
  );
}

/** Bars of the likeliest classes. */
export function predictions({ classes, label }) {
  const bar = (share, name) =>
    h("td", {}, h("span", { class: `bar ${name}`, style: `--share: ${share}`, "aria-hidden": "true" }), percent(share));
  const heads = ["Class", "As trained", "Edited"].map((title) => h("th", { scope: "col" }, title));
  return h(
    "div",
    { class: "predictions" },
    h("h3", {}, "Prediction"),
    h(
      "table",
      { class: "table" },
      h("thead", {}, h("tr", {}, heads)),
      h(
        "tbody",
        {},
        classes.map((row) =>
          h(
            "tr",
            { class: row.class === label ? "right" : null },
            h("th", { scope: "row" }, row.name, row.class === label ? h("span", { class: "quiet" }, " ✓ correct") : null),
            bar(row.unedited, "before"),
            bar(row.edited, "after"),
          ),
        ),
      ),
    ),
  );
}
