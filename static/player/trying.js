/**
 * The card "Try an image": a test image, a drawing or a file, and the network's answer, live.
 */

import { h, show } from "../base/dom.js";
import { percent } from "../base/format.js";
import { drawing } from "../images/drawing.js";
import { bytesOf, canvasOf, fitted } from "../base/pixels.js";

const MAX_FILE = 20 << 20;

export function trying(playing) {
  const { data, images } = playing;
  const [channels, height, width] = data.shape;
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const seen = h("div", { class: "seen" });
  const rows = data.classes.map((name) => bar(name));
  const bars = h("table", { class: "player-bars" }, h("caption", { class: "offscreen" }, "The network’s answer"), h("tbody", {}, rows.map(({ row }) => row)));
  const said = h("p", { class: "offscreen", role: "status" });

  let at = 0;
  const number = h("output", { class: "quiet" });
  const tests = h("div", { class: "source" }, h("div", { class: "actions" }, little("Previous", () => turn(-1)), little("Next", () => turn(1)), little("Any", () => turn(1 + Math.floor(Math.random() * (images.labels.length - 1)))), number));

  function turn(by) {
    const count = images.labels.length;
    at = (at + by + count) % count;
    const each = channels * height * width;
    number.textContent = `Image ${at} of ${count}`;
    playing.choose(images.pixels.subarray(at * each, (at + 1) * each), images.labels[at]);
  }

  const color = h("input", { type: "color", value: "#ffffff", "aria-label": "Colour of the pen" });
  const sheet = drawing(width, () => (channels === 1 ? "#fff" : color.value), () => {
    if (kind === "draw") playing.choose(sheet.empty() ? null : interleaved(fitted(sheet.canvas, sheet.canvas.width, sheet.canvas.height, width, height), channels));
  });
  // The answer follows the pen, not only its rest.
  let frame = 0;
  sheet.canvas.addEventListener("pointermove", () => {
    if (sheet.empty()) return;
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => playing.choose(interleaved(fitted(sheet.canvas, sheet.canvas.width, sheet.canvas.height, width, height), channels)));
  });
  const drawn = h("div", { class: "source" }, sheet.element, h("div", { class: "actions" }, little("Clear", sheet.clear), channels === 1 ? null : color));

  const file = h("input", { type: "file", accept: "image/png,image/jpeg", id: "player-image" });
  const invert = h("input", { type: "checkbox", id: "player-invert" });
  const sent = h("div", { class: "source" }, h("label", { for: "player-image" }, "PNG or JPEG; it stays in this browser"), file, h("label", { for: "player-invert" }, invert, " Invert (for dark ink on white paper)"));
  for (const input of [file, invert]) input.addEventListener("change", read);

  async function read() {
    const [chosen] = file.files;
    show(problem, false);
    if (!chosen) return;
    const picture = chosen.size > MAX_FILE ? null : await createImageBitmap(chosen).catch(() => null);
    if (!picture) {
      problem.textContent = chosen.size > MAX_FILE ? "This file is larger than 20 MB; choose a smaller one." : "This browser cannot read the image.";
      return show(problem, true);
    }
    playing.choose(interleaved(fitted(picture, picture.width, picture.height, width, height, invert.checked), channels));
  }

  const kinds = { ...(images ? { test: tests } : {}), draw: drawn, upload: sent };
  let kind = Object.keys(kinds)[0];
  const titles = { test: "Test image", draw: "Draw", upload: "Upload" };
  const tabs = Object.keys(kinds).map((name) => {
    const tab = h("button", { type: "button", "aria-pressed": String(name === kind) }, titles[name]);
    tab.addEventListener("click", () => choose(name));
    return tab;
  });

  function choose(name) {
    kind = name;
    Object.keys(kinds).forEach((other, i) => tabs[i].setAttribute("aria-pressed", String(other === name)));
    for (const [other, part] of Object.entries(kinds)) show(part, other === name);
    if (name === "test") turn(0);
    else if (name === "draw") sheet.clear();
    else if (file.files.length) read();
    else playing.choose(null);
  }

  function update() {
    const found = playing.look();
    seen.replaceChildren(...(playing.pixels ? [canvasOf(planar(playing.pixels, channels), data.shape)] : []));
    seen.firstChild?.setAttribute("role", "img");
    seen.firstChild?.setAttribute("aria-label", `The image, ${width} × ${height} pixels`);
    const best = found ? found.shares.indexOf(Math.max(...found.shares)) : -1;
    rows.forEach(({ row, fill, share }, k) => {
      const value = found ? found.shares[k] : 0;
      fill.style.setProperty("--share", value);
      share.textContent = found ? percent(value, 0) : "";
      row.classList.toggle("right", playing.label === k && Boolean(found));
      row.classList.toggle("best", k === best);
    });
    said.textContent = found ? `${data.classes[best]}, ${percent(found.shares[best], 0)}` : "";
  }
  playing.addEventListener("image", update);
  playing.addEventListener("edit", update);
  choose(kind);
  return h(
    "section",
    { class: "card", "aria-labelledby": "trying-title" },
    h("h2", { id: "trying-title" }, "Try an image"),
    h(
      "div",
      { class: "player-try" },
      h("div", { class: "image-source" }, h("div", { class: "segments", role: "group", "aria-label": "Image source" }, tabs), Object.values(kinds), problem),
      seen,
      h("div", {}, bars, said),
    ),
  );
}

function bar(name) {
  const fill = h("span", { class: "player-bar", "aria-hidden": "true" });
  const share = h("span", { class: "player-share" });
  return { fill, share, row: h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, fill, share)) };
}

/** The bytes of a canvas as (H, W, C). */
function interleaved(canvas, channels) {
  const bytes = bytesOf(canvas, channels);
  const size = bytes.length / channels;
  return bytes.map((_, i) => bytes[(i % channels) * size + Math.floor(i / channels)]);
}

/** (H, W, C) -> one channel after another. */
function planar(pixels, channels) {
  const size = pixels.length / channels;
  return pixels.map((_, i) => pixels[(i % size) * channels + Math.floor(i / size)]);
}

const little = (label, onclick) => h("button", { type: "button", class: "button small", onclick }, label);
