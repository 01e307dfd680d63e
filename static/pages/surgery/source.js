/**
 * The source of an image to try: the test set, a drawing, or a file. The server gets only raw bytes in the shape of
 * the data set's images.
 */

import { h, show } from "../../base/dom.js";
import { whole } from "../../base/format.js";
import { drawing } from "../../images/drawing.js";
import { bytesOf, fitted, toBase64 } from "../../base/pixels.js";

const MAX_BYTES = 196_608; // the server's limit
const FAR = 2000; // images of a streamed data set on offer: a later one takes long to reach
const MAX_FILE = 20 << 20;
const REST_MS = 800; // after a stroke

/** Takes the response of /api/runs/{id}/parameters; `ask()` starts the look at the image. Returns {element, look}. */
export function source({ shape, test_images, streamed }, ask) {
  const [channels, height, width] = shape;
  const last = (streamed ? Math.min(test_images, FAR) : test_images) - 1;
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const small = h("div", { class: "preview-image" });
  let [uploaded, resting] = [null, null];

  const number = h("input", { type: "number", class: "search", min: 0, max: last, value: 0, id: "image-number" });
  const step = (by) => {
    number.value = (index() + by + last + 1) % (last + 1);
    ask();
  };
  const index = () => Math.min(Math.max(0, Math.round(Number(number.value)) || 0), last);
  const tests = h(
    "div",
    { class: "source" },
    h("label", { for: "image-number" }, `Image number (0 to ${whole(last)})`),
    h(
      "div",
      { class: "actions" },
      little("Previous", () => step(-1)),
      number,
      little("Next", () => step(1)),
      little("Any", () => step(1 + Math.floor(Math.random() * last))),
    ),
  );

  const color = h("input", { type: "color", value: "#ffffff", id: "pen-color" });
  const sheet = drawing(width, () => (channels === 1 ? "#fff" : color.value), stroked);
  const drawn = h(
    "div",
    { class: "source", hidden: true },
    sheet.element,
    h(
      "div",
      { class: "actions" },
      little("Clear", sheet.clear),
      channels === 1 ? null : h("label", { for: "pen-color", class: "quiet" }, "Colour ", color),
    ),
  );

  const file = h("input", { type: "file", accept: "image/png,image/jpeg", id: "image-file" });
  const invert = h("input", { type: "checkbox", id: "invert" });
  const sent = h(
    "div",
    { class: "source", hidden: true },
    h("label", { for: "image-file" }, "PNG or JPEG; cropped and scaled down in this browser"),
    file,
    h("label", { for: "invert" }, invert, " Invert (for dark ink on white paper)"),
  );

  const kinds = { test: tests, draw: drawn, upload: sent };
  let kind = "test";
  const tabs = Object.entries({ test: "Test image", draw: "Draw", upload: "Upload" }).map(([name, title]) => {
    const tab = h("button", { type: "button", "aria-pressed": String(name === kind) }, title);
    tab.addEventListener("click", () => {
      kind = name;
      for (const other of tabs) other.setAttribute("aria-pressed", other === tab);
      for (const [key, part] of Object.entries(kinds)) show(part, key === kind);
      preview();
    });
    return tab;
  });

  function fail(text) {
    problem.textContent = text;
    show(problem, Boolean(text));
  }

  async function read() {
    fail("");
    uploaded = null;
    const [chosen] = file.files;
    if (!chosen) return preview();
    if (chosen.size > MAX_FILE) fail("This file is larger than 20 MB; choose a smaller one.");
    else if (!["image/png", "image/jpeg"].includes(chosen.type)) fail("This is neither a PNG nor a JPEG file.");
    else uploaded = await createImageBitmap(chosen).catch(() => (fail("This browser cannot read the image; is it damaged?"), null));
    preview();
  }
  file.addEventListener("change", read);
  invert.addEventListener("change", () => preview());

  /** The image as the network sees it, as a canvas; null while there is none. */
  function canvas() {
    if (kind === "draw") return sheet.empty() ? null : fitted(sheet.canvas, sheet.canvas.width, sheet.canvas.height, width, height);
    if (kind === "upload" && uploaded) return fitted(uploaded, uploaded.width, uploaded.height, width, height, invert.checked);
    return null;
  }

  /** After a stroke: shows the image at once, and asks the network when the pen rests. */
  function stroked() {
    preview();
    clearTimeout(resting);
    resting = setTimeout(() => kind === "draw" && !sheet.empty() && ask(), REST_MS);
  }

  function preview() {
    if (kind === "test") return show(small, false);
    const image = canvas();
    small.replaceChildren(...(image ? [image, h("p", { class: "quiet" }, `Network input: ${width} × ${height} pixels`)] : []));
    image?.setAttribute("role", "img");
    image?.setAttribute("aria-label", "The image at the network’s input size");
    show(small, Boolean(image));
  }

  const few = channels * height * width <= MAX_BYTES && (channels === 1 || channels === 3);
  return {
    element: h("div", { class: "image-source" }, few ? h("div", { class: "segments", role: "group", "aria-label": "Image source" }, tabs) : null, Object.values(kinds), small, problem),
    /** The image as a part of a request. Throws an Error for the reader if there is none. */
    look() {
      if (kind === "test") return { index: index() };
      const image = canvas();
      if (!image) throw new Error(kind === "draw" ? "Draw something first." : "Choose a PNG or JPEG file first.");
      return { pixels: toBase64(bytesOf(image, channels)) };
    },
  };
}

const little = (label, onclick) => h("button", { type: "button", class: "button small", onclick }, label);
