/**
 * The first figure of About: one channel after BatchNorm and ReLU, with sliders for γ and β.
 */

import { options } from "../../server/catalog.js";
import { dataFold } from "../../charts/numbers.js";
import { valueColumn, wordsColumn } from "../../charts/columns.js";
import { h, s } from "../../base/dom.js";
import { percent } from "../../base/format.js";
import { afterRelu, density } from "./normal.js";

const [WIDTH, HEIGHT, BASE] = [560, 220, 190];
const REACH = 4; // the axis goes from -REACH to REACH
const STEP = 0.04;
const TABLE_STEP = 0.25;
const NARROW = 0.12; // a curve narrower than this is drawn as wide as this
const CASES = [
  ["The usual start", 1, 0],
  ["The mean of U(0, 1)", 0.5, 0],
  ["Switched off by γ", 0, 0],
  ["Cut off by β", 0.5, -2],
  ["Sign flipped", -1, 0.5],
];

/** The figure: sliders, picture, and a sentence that says the same. */
export function feature() {
  const gamma = slider("γ, the scale", -2, 2, 1);
  const beta = slider("β, the shift", -3, 3, 0);
  const said = h("output", { class: "channel-said" });
  const picture = h("div", { class: "channel-picture" });
  const data = dataFold(
    () => "The values of one channel",
    () => table(Number(gamma.input.value), Number(beta.input.value)),
    () => "onlybn-channel",
  );
  const draw = () => {
    const [scale, shift] = [Number(gamma.input.value), Number(beta.input.value)];
    for (const one of [gamma, beta]) one.value.textContent = Number(one.input.value).toFixed(2);
    const words = sentence(scale, shift);
    said.textContent = words;
    picture.replaceChildren(drawing(scale, shift, words));
    data.update();
  };
  const cases = CASES.map(([title, scale, shift]) =>
    h("button", { type: "button", class: "button small", onclick: () => set(scale, shift) }, title),
  );
  function set(scale, shift) {
    gamma.input.value = scale;
    beta.input.value = shift;
    draw();
  }
  for (const { input } of [gamma, beta]) input.addEventListener("input", draw);
  draw();
  return h(
    "div",
    { class: "card channel-figure" },
    picture,
    h("div", { class: "channel-controls" }, gamma.element, beta.element, h("div", { class: "actions" }, cases), said),
    data.element,
  );
}

/** The density of the values before and after the norm layer, and the part that ReLU removes. */
function table(gamma, beta) {
  const scale = Math.max(Math.abs(gamma), NARROW);
  const steps = Array.from({ length: (2 * REACH) / TABLE_STEP + 1 }, (_, step) => step * TABLE_STEP - REACH);
  return {
    columns: [
      valueColumn("Value", "value"),
      valueColumn("Density, normalised", "before"),
      valueColumn("Density after γ and β", "after"),
      wordsColumn("ReLU", "relu"),
    ],
    rows: steps.map((x) => [x, density(x), density((x - beta) / scale) / scale, x > 0 ? "unchanged" : "set to 0"]),
    note: Math.abs(gamma) < NARROW ? `Drawn no narrower than for |γ| = ${NARROW}.` : null,
  };
}

function slider(label, min, max, value) {
  const input = h("input", { type: "range", min, max, step: 0.05, value });
  const shown = h("b", {});
  return { element: h("label", { class: "slider" }, h("span", {}, label, " ", shown), input), input, value: shown };
}

/** The output in words. */
function sentence(gamma, beta) {
  const { zero, mean, sd } = afterRelu(gamma, beta);
  const off = Math.abs(gamma) < options.disabled_below;
  if (off && beta <= 0) return "Disabled: the output is 0 for every image. The network does without this feature.";
  if (off) return `Disabled: γ is 0, so the output is ${mean.toFixed(2)} for every image, whatever the filter sees.`;
  if (zero > 0.99) return `Cut off: ${percent(zero)} of the output is 0. γ is not small, but β lets almost nothing through.`;
  const flipped = gamma < 0 ? "The sign is flipped: values below the mean pass. " : "";
  return `${flipped}${percent(zero, 0)} of the output is 0; its mean is ${mean.toFixed(2)}, its standard deviation ${sd.toFixed(2)}.`;
}

const at = (x) => ((x + REACH) / (2 * REACH)) * WIDTH;

function drawing(gamma, beta, words) {
  const spread = Math.max(Math.abs(gamma), NARROW);
  const height = (x) => density((x - beta) / spread) / spread;
  const top = Math.max(0.9, height(beta));
  const y = (value) => BASE - (value / top) * (BASE - 24);
  const area = (from, to, heightOf) => {
    const dots = [];
    for (let x = from; x <= to + 1e-9; x += STEP) dots.push(`${at(x).toFixed(1)} ${y(heightOf(x)).toFixed(1)}`);
    return `M${at(from).toFixed(1)} ${BASE}L${dots.join("L")}L${at(to).toFixed(1)} ${BASE}z`;
  };
  const { zero } = afterRelu(gamma, beta);
  const bar = zero * (BASE - 24);
  return s(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `The values of one channel. ${words}` },
    s("path", { class: "before", d: area(-REACH, REACH, density) }),
    s("path", { class: "cut", d: area(-REACH, 0, height) }),
    s("path", { class: "passed", d: area(0, REACH, height) }),
    s("rect", { class: "zeros", x: at(0) - 5, y: BASE - bar, width: 10, height: bar }),
    s("line", { class: "axis", x1: 0, x2: WIDTH, y1: BASE, y2: BASE }),
    s("line", { class: "axis", x1: at(0), x2: at(0), y1: 14, y2: BASE }),
    [-3, -2, -1, 0, 1, 2, 3].map((x) => s("text", { x: at(x), y: BASE + 18, "text-anchor": "middle" }, String(x))),
    s("text", { x: at(0) - 10, y: 22, "text-anchor": "end" }, "ReLU sets this to 0"),
    s("text", { x: at(0) + 10, y: 22 }, "this passes"),
  );
}
