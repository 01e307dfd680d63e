/**
 * A black canvas to draw on with mouse, finger, pen or keyboard: arrows move the pen, space draws.
 */

import { h } from "../base/dom.js";

const SIDE = 256;
const STEPS = 16; // steps of the keyboard's pen from side to side

/**
 * `pixels`: the width of the data set's images, which sets the width of a stroke; `color()`: the pen's colour;
 * `changed()` is called after each stroke. Returns {element, canvas, clear, empty}.
 */
export function drawing(pixels, color, changed) {
  const canvas = h("canvas", {
    width: SIDE,
    height: SIDE,
    class: "drawing",
    tabindex: "0",
    role: "img",
    "aria-label": "Drawing sheet. Arrow keys move the pen, space draws.",
  });
  const cursor = h("span", { class: "sheet-pen", "aria-hidden": "true", hidden: true });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  let [last, at, empty] = [null, { x: SIDE / 2, y: SIDE / 2 }, true];

  function clear() {
    pen.fillStyle = "#000";
    pen.fillRect(0, 0, SIDE, SIDE);
    empty = true;
    changed();
  }

  function stroke(from, to) {
    Object.assign(pen, { strokeStyle: color(), lineWidth: Math.max(SIDE / 11, (1.7 * SIDE) / pixels), lineCap: "round", lineJoin: "round" });
    pen.beginPath();
    pen.moveTo(from.x, from.y);
    pen.lineTo(to.x + 0.01, to.y);
    pen.stroke();
    empty = false;
  }

  const place = ({ clientX, clientY }) => {
    const box = canvas.getBoundingClientRect();
    return { x: ((clientX - box.left) / box.width) * SIDE, y: ((clientY - box.top) / box.height) * SIDE };
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    last = place(event);
    stroke(last, last);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last) return;
    const here = place(event);
    stroke(last, here);
    last = here;
  });
  for (const name of ["pointerup", "pointercancel"])
    canvas.addEventListener(name, () => {
      if (last) changed();
      last = null;
    });

  const show = () => {
    cursor.hidden = document.activeElement !== canvas;
    cursor.style.left = `${(at.x / SIDE) * 100}%`;
    cursor.style.top = `${(at.y / SIDE) * 100}%`;
  };
  canvas.addEventListener("keydown", (event) => {
    const step = SIDE / STEPS;
    const [dx, dy] = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step], " ": [0, 0] }[event.key] ?? [];
    if (dx === undefined) return;
    event.preventDefault();
    at = { x: Math.min(SIDE, Math.max(0, at.x + dx)), y: Math.min(SIDE, Math.max(0, at.y + dy)) };
    if (event.key === " ") {
      stroke(at, at);
      changed();
    }
    show();
  });
  canvas.addEventListener("focus", show);
  canvas.addEventListener("blur", show);

  pen.fillStyle = "#000";
  pen.fillRect(0, 0, SIDE, SIDE);
  return { element: h("div", { class: "sheet-box" }, canvas, cursor), canvas, clear, empty: () => empty };
}
