/**
 * Collects the shapes of a network's picture by their look and draws one SVG path per look.
 */

import { s } from "../../base/dom.js";
import { OFF_LOOKS } from "./legend.js";

const SPECK = 2.2;
const STRIPE = 6; // the width of a stripe of used weights with its gap
const LOOKS = [
  "wire",
  "pool",
  "conv frozen",
  "conv kept",
  "conv lit",
  "norm frozen",
  "norm lit",
  "dot frozen",
  "dot kept",
  "dot lit",
  "speck lit",
  ...OFF_LOOKS,
  "hole",
];

let pens = 0;

export class Pen {
  #paths = {};
  #texts = [];
  #id = `stripes-${(pens += 1)}`;

  /** Takes `norm` and `keep` of a plan. */
  constructor({ norm, keep }) {
    this.norm = norm;
    this.keep = keep;
  }

  #add(look, d) {
    (this.#paths[look] ??= []).push(d);
  }

  box(look, x, y, width, height) {
    const r = look === "hole" ? 0 : Math.min(look.startsWith("dot") ? 9 : 3, width / 2, height / 2);
    const [w, v] = [round(width - 2 * r), round(height - 2 * r)];
    const corner = (dx, dy) => `a${round(r)} ${round(r)} 0 0 1 ${round(dx)} ${round(dy)}`;
    const d =
      r < 1
        ? `M${round(x)} ${round(y)}h${round(width)}v${round(height)}h${-round(width)}z`
        : `M${round(x + r)} ${round(y)}h${w}${corner(r, r)}v${v}${corner(-r, r)}h${-w}${corner(-r, -r)}v${-v}${corner(r, -r)}z`;
    this.#add(look, d);
  }

  /** Specks in a frozen convolution for its trained weights; they cover the share of its area that trains. */
  specks(name, x, y, width, height, share) {
    const random = generator(name);
    const size = Math.min(SPECK, width);
    const cells = (width * height) / (size * size);
    const count = Math.floor(cells * share + random());
    for (let k = 0; k < count; k += 1) {
      const [px, py] = [x + random() * (width - size), y + random() * (height - size)];
      this.#add("speck lit", `M${round(px)} ${round(py)}h${round(size)}v${round(size)}h${-round(size)}z`);
    }
  }

  line(x1, y1, x2, y2) {
    this.#add("wire", `M${round(x1)} ${round(y1)}L${round(x2)} ${round(y2)}`);
  }

  arc(x1, x2, base, top) {
    const r = Math.min(6, (x2 - x1) / 4);
    this.#add(
      "wire",
      `M${round(x1)} ${round(base)}V${round(top + r)}q0 ${-r} ${r} ${-r}H${round(x2 - r)}q${r} 0 ${r} ${r}V${round(base)}`,
    );
  }

  /** A max-pool: a wedge that narrows along the wire. */
  pool(x, middle, width, height) {
    const high = Math.min(22, height / 2);
    this.#add("pool", `M${round(x)} ${round(middle - high / 2)}l${width} ${round(high / 4)}v${round(high / 2)}l${-width} ${round(high / 4)}z`);
  }

  text(x, y, words, anchor = "middle") {
    this.#texts.push(s("text", { x: round(x), y: round(y), "text-anchor": anchor }, String(words)));
  }

  svg(width, height, label) {
    const paths = LOOKS.filter((look) => this.#paths[look]).map((look) =>
      s("path", {
        class: look,
        d: this.#paths[look].join(""),
        fill: look.endsWith("kept") ? `url(#${this.#id})` : null,
      }),
    );
    return s(
      "svg",
      { class: "network", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label },
      this.keep ? this.#stripes() : null,
      paths,
      this.#texts,
    );
  }

  /** Slanted stripes that cover the share `keep` of the area. */
  #stripes() {
    const pattern = {
      id: this.#id,
      width: STRIPE,
      height: STRIPE,
      patternUnits: "userSpaceOnUse",
      patternTransform: "rotate(45)",
    };
    return s("defs", {}, s("pattern", pattern, s("rect", { class: "lit", width: STRIPE * this.keep, height: STRIPE })));
  }
}

const round = (value) => Math.round(value * 100) / 100;

/** Pseudo-random numbers in 0..1 that depend only on `name`, so that the specks stay in place. */
function generator(name) {
  let state = [...name].reduce((hash, letter) => (Math.imul(hash, 31) + letter.charCodeAt(0)) | 0, 7);
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0;
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32;
  };
}
