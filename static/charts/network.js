/**
 * The picture of a network: stem, stages of residual blocks, output; frozen parts in grey, trained parts lit.
 *
 * A shallow network is one row; a deep one has a row a stage, and its layers become as thin as they must. Shapes of one
 * kind share one path, so that ResNet-866 is as few nodes as ResNet-14.
 */

import { s } from "../dom.js";
import { whole } from "../format.js";

const HEIGHT = 236;
const ONE_ROW_PITCH = 34;
const MAX_PITCH = 96; // of a block in a single row
const ROW_PITCH = 72;
const END = 44; // room for the stem, and for the output
const SPECK = 2.2;

/** Draws `plan` (of /api/preview) into `element` and redraws it when the width changes; answers {draw}. */
export function mount(element) {
  let plan = null;
  let width = 0;
  const draw = () => plan && width && element.replaceChildren(picture(plan, width));
  new ResizeObserver(([entry]) => {
    if (Math.abs(entry.contentRect.width - width) < 1) return;
    width = entry.contentRect.width;
    draw();
  }).observe(element);
  return {
    draw(next) {
      plan = next;
      draw();
    },
  };
}

function picture(plan, width) {
  const pen = new Pen();
  const pitch = (width - 2 * END) / plan.blocks.length;
  if (pitch >= ONE_ROW_PITCH) oneRow(pen, plan, width, Math.min(MAX_PITCH, pitch));
  else rows(pen, plan, width);
  return pen.svg(width, describe(plan));
}

function oneRow(pen, plan, width, pitch) {
  const middle = HEIGHT / 2 + 6;
  const left = (width - pitch * plan.blocks.length - 2 * END) / 2;
  const widest = Math.max(...plan.blocks.map((block) => block.units[0].channels));
  const height = (channels) => 150 * Math.sqrt(channels / widest);
  pen.line(left, middle, width - left, middle);
  unit(pen, plan.stem, left + 6, middle, 14, height(plan.stem.channels));
  pen.text(left + 14, HEIGHT - 8, "stem");
  let x = left + END;
  for (const stage of stages(plan)) {
    const begin = x;
    for (const block of stage) {
      residual(pen, block, x, middle, pitch, height(block.units[0].channels));
      x += pitch;
    }
    pen.text((begin + x) / 2, HEIGHT - 8, `${stage[0].units[0].channels} channels`);
  }
  output(pen, plan.output, x + 16, middle);
}

function rows(pen, plan, width) {
  const all = stages(plan);
  const band = HEIGHT / all.length;
  all.forEach((stage, index) => {
    const middle = index * band + 54;
    const pitch = Math.min(ROW_PITCH, (width - 2 * END) / stage.length);
    const channels = stage[0].units[0].channels;
    const end = END + pitch * stage.length;
    pen.text(end, middle - 41, `${stage.length} blocks · ${channels} channels`, "end");
    pen.line(index ? END - 10 : 6, middle, end + 10, middle);
    stage.forEach((block, k) => residual(pen, block, END + k * pitch, middle, pitch, 40));
    if (index === 0) unit(pen, plan.stem, 8, middle, 12, 40);
    if (index === all.length - 1) output(pen, plan.output, end + 14, middle, 40);
  });
}

/** One block from `x` on: its units side by side, and its shortcut as an arc above where there is room for one. */
function residual(pen, block, x, middle, pitch, height) {
  const gap = pitch * 0.14;
  const each = (pitch - gap) / block.units.length;
  block.units.forEach((part, index) => unit(pen, part, x + gap / 2 + index * each, middle, each * 0.62, height));
  if (pitch < 16) return;
  const top = middle - height / 2 - Math.min(14, pitch / 4);
  pen.arc(x, x + pitch, middle, top);
  if (block.shortcut) unit(pen, block.shortcut, x + pitch / 2 - 5, top, 7, 14);
}

/** A convolution of `width` and the norm behind it. */
function unit(pen, part, x, middle, width, height) {
  const top = middle - height / 2;
  pen.box("conv", x, top, width, height, part.trained === 1);
  if (part.trained > 0 && part.trained < 1) pen.specks(part.conv, x, top, width, height, part.trained);
  const norm = Math.max(width * 0.32, Math.min(0.6, width));
  const start = x + width * 1.1;
  pen.box("norm", start, top, norm, height, part.norm_trained === 1);
  if (part.norm_trained === 0.5) pen.box("norm", start, top, norm, height / 2, true);
}

function output(pen, { classes, trained }, x, middle, limit = 120) {
  const shown = Math.min(classes, 10);
  const step = Math.min(12, limit / shown);
  for (let k = 0; k < shown; k += 1) {
    pen.box("dot", x, middle + (k - (shown - 1) / 2) * step - step / 3, step * 0.66, step * 0.66, trained === 1);
  }
  if (limit > 60) pen.text(x + step / 3, HEIGHT - 8, "output");
}

function stages(plan) {
  return Object.values(Object.groupBy ? Object.groupBy(plan.blocks, (block) => block.stage) : grouped(plan.blocks));
}

function grouped(blocks) {
  const groups = {};
  for (const block of blocks) (groups[block.stage] ??= []).push(block);
  return groups;
}

function describe({ stem, blocks, output }) {
  const units = blocks.flatMap((block) => [...block.units, ...(block.shortcut ? [block.shortcut] : [])]).concat(stem);
  const parts = [
    [units.some((part) => part.trained === 1), "the convolutions"],
    [units.some((part) => part.trained > 0 && part.trained < 1), "single weights of every convolution"],
    [units.some((part) => part.norm_trained > 0), "every BatchNorm layer"],
    [output.trained === 1, "the output layer"],
  ];
  const lit = parts.filter(([trains]) => trains).map(([, words]) => words);
  return `A network of ${whole(blocks.length)} residual blocks in ${stages({ blocks }).length} stages. Lit, because it trains: ${lit.join(", ") || "nothing"}.`;
}

/** Collects shapes by look and makes one path of each look. */
class Pen {
  #paths = {};
  #texts = [];

  #add(look, d) {
    (this.#paths[look] ??= []).push(d);
  }

  box(kind, x, y, width, height, lit) {
    const r = Math.min(kind === "dot" ? 9 : 3, width / 2, height / 2);
    const [w, v] = [round(width - 2 * r), round(height - 2 * r)];
    const round_ = (dx, dy) => (r < 1 ? "" : `a${round(r)} ${round(r)} 0 0 1 ${round(dx)} ${round(dy)}`);
    const d =
      r < 1
        ? `M${round(x)} ${round(y)}h${round(width)}v${round(height)}h${-round(width)}z`
        : `M${round(x + r)} ${round(y)}h${w}${round_(r, r)}v${v}${round_(-r, r)}h${-w}${round_(-r, -r)}v${-v}${round_(r, -r)}z`;
    this.#add(`${kind} ${lit ? "lit" : "frozen"}`, d);
  }

  /** Trained weights scattered in a frozen convolution: as large a share of its area as of its weights. */
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

  text(x, y, words, anchor = "middle") {
    this.#texts.push(s("text", { x: round(x), y: round(y), "text-anchor": anchor }, words));
  }

  svg(width, label) {
    const order = ["wire", "conv frozen", "conv lit", "norm frozen", "norm lit", "dot frozen", "dot lit", "speck lit"];
    const paths = order
      .filter((look) => this.#paths[look])
      .map((look) => s("path", { class: look, d: this.#paths[look].join("") }));
    return s(
      "svg",
      { class: "network", viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "img", "aria-label": label },
      paths,
      this.#texts,
    );
  }
}

const round = (value) => Math.round(value * 100) / 100;

/** Numbers in 0..1 that are the same for the same name, so that the specks stay where they are. */
function generator(name) {
  let state = [...name].reduce((hash, letter) => (Math.imul(hash, 31) + letter.charCodeAt(0)) | 0, 7);
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0;
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32;
  };
}
