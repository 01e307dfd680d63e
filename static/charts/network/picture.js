/**
 * The picture of a network: stem, stages of blocks, output; frozen parts in grey, trained parts lit.
 *
 * A network of few layers is one row; a deep one has a row per stage, and its layers become as thin as necessary.
 * Shapes of one look share one path, so that ResNet-866 has as few nodes as ResNet-14. `legend.js` explains the shapes.
 */

import { offLegend, offLook, offSentence, trainedLegend, trainedSentence } from "./legend.js";
import { Pen } from "./pen.js";

const HEIGHT = 236;
const UNIT_PITCH = { residual: 17, plain: 12 }; // the least width of a layer in a single row
const MAX_PITCH = 48; // the greatest width of a layer in a single row
const ROW_PITCH = 36; // the greatest width of a layer with a row per stage
const END = 44; // space for the stem, and for the output
const WORDS = 90; // the width of "512 channels"
const POOL = 7;
const DOT_PITCH = 5; // the least distance between outputs

/**
 * Draws a plan (of /api/preview) into `element`, and its legend into `key`; redraws it when the width changes.
 * Returns {draw}. `draw(plan)` shows what trains; `draw(plan, off)` colours the layers by the share of their features
 * that is off, where `off` is {shares: by the name of the norm layer, all}. A plan may have its description in `words`,
 * and a unit may list in `off` which of its features are off.
 */
export function networkPicture(element, key = null) {
  let plan = null;
  let off = null;
  let width = 0;
  const draw = () => plan && width && element.replaceChildren(picture(plan, width, off));
  new ResizeObserver(([entry]) => {
    if (Math.abs(entry.contentRect.width - width) < 1) return;
    width = entry.contentRect.width;
    draw();
  }).observe(element);
  return {
    draw(next, shares = null) {
      plan = next;
      off = shares;
      draw();
      key?.replaceChildren(...(off ? offLegend() : trainedLegend(plan)));
    },
  };
}

function picture(plan, width, off) {
  const all = stages(plan);
  const pen = new Pen(plan);
  pen.off = off;
  const layers = plan.blocks.reduce((sum, block) => sum + block.units.length, 0);
  const pitch = (width - 2 * END) / layers;
  const needed = plan.blocks.some((block) => block.residual) ? UNIT_PITCH.residual : UNIT_PITCH.plain;
  if (pitch >= needed) oneRow(pen, plan, all, width, Math.min(MAX_PITCH, pitch));
  else rows(pen, plan, all, width);
  return pen.svg(width, HEIGHT, plan.words ?? (off ? offSentence(plan, all, off) : trainedSentence(plan, all.length)));
}

function oneRow(pen, plan, all, width, pitch) {
  const middle = HEIGHT / 2 + 6;
  const units = all.map((stage) => stage.reduce((sum, block) => sum + block.units.length, 0));
  const length = units.reduce((sum, count) => sum + count * pitch, 0);
  const left = (width - length - 2 * END) / 2;
  const widest = Math.max(...plan.blocks.map(channelsOf));
  const height = (channels) => 150 * Math.sqrt(channels / widest);
  pen.line(left, middle, width - left, middle);
  unit(pen, plan.stem, left + 6, middle, 14, height(plan.stem.channels));
  pen.text(left + 14, HEIGHT - 8, "stem");
  const spacious = Math.min(...units) * pitch >= WORDS;
  let x = left + END;
  all.forEach((stage, index) => {
    const begin = x;
    for (const one of stage) {
      block(pen, one, x, middle, pitch * one.units.length, height);
      x += pitch * one.units.length;
    }
    const channels = channelsOf(stage[0]);
    const last = index === all.length - 1 && units[index] * pitch >= WORDS - 8;
    pen.text((begin + x) / 2, HEIGHT - 8, spacious || last ? `${channels} channels` : channels);
  });
  output(pen, plan.output, x + 16, middle);
}

function rows(pen, plan, all, width) {
  const band = HEIGHT / all.length;
  const rise = band < 70 ? 9 : 14;
  const tall = Math.min(40, band - rise - 20);
  all.forEach((stage, index) => {
    const middle = (index + 1) * band - tall / 2 - 2;
    const widest = Math.max(...stage.flatMap((one) => one.units.map(({ channels }) => channels)));
    const height = (channels) => tall * Math.sqrt(channels / widest);
    const units = stage.reduce((sum, one) => sum + one.units.length, 0);
    const pitch = Math.min(ROW_PITCH, (width - 2 * END) / units);
    const end = END + pitch * units;
    const blocks = stage.length === 1 ? "1 block" : `${stage.length} blocks`;
    const channels = `${channelsOf(stage[0])} channels`;
    const [x, anchor] = end > END + 2 * WORDS ? [end, "end"] : [END, "start"];
    pen.text(x, middle - tall / 2 - rise - 4, stage[0].residual ? `${blocks} · ${channels}` : channels, anchor);
    pen.line(index ? END - 10 : 6, middle, end + 10, middle);
    let from = END;
    for (const one of stage) {
      block(pen, one, from, middle, pitch * one.units.length, height, rise);
      from += pitch * one.units.length;
    }
    if (index === 0) unit(pen, plan.stem, 8, middle, 12, tall);
    if (index === all.length - 1) output(pen, plan.output, end + 14, middle, tall);
  });
}

/** A block that starts at `x`: its layers side by side, and its shortcut as an arc above if there is space. */
function block(pen, { units, shortcut, residual, pool }, x, middle, length, height, rise = 14) {
  const each = length / units.length;
  const lead = pool && each > 2 * POOL ? POOL : 0;
  const gap = residual ? Math.min(length * 0.14, 14) : each * 0.12;
  const step = (length - gap - lead) / units.length;
  if (lead) pen.pool(x, middle, lead, height(units[0].channels));
  units.forEach((part, index) =>
    unit(pen, part, x + lead + gap / 2 + index * step, middle, step * 0.62, height(part.channels)),
  );
  if (!residual || length < 16) return;
  const tallest = Math.max(...units.map((part) => height(part.channels)));
  const top = middle - tallest / 2 - Math.min(rise, length / 4);
  pen.arc(x, x + length, middle, top);
  if (shortcut) unit(pen, shortcut, x + length / 2 - 5, top, 7, 14);
}

/** A convolution of `width` and the norm layer behind it: γ is the upper half, β the lower. */
function unit(pen, part, x, middle, width, height) {
  const top = middle - height / 2;
  if (pen.off) return pen.box(offLook(pen.off.shares[part.norm]), x, top, width * 1.3, height);
  const whole = part.trained === 1 && !part.scored;
  pen.box(`conv ${whole ? "lit" : "frozen"}`, x, top, width, height);
  if (part.scored) pen.box("conv kept", x, top, width, height);
  else if (part.trained > 0 && !whole) pen.specks(part.conv, x, top, width, height, part.trained);
  if (part.bias_trained && !whole) pen.box("conv lit", x, top + height - Math.min(5, height / 4), width, Math.min(5, height / 4));
  if (!pen.norm.affine) return;
  const norm = Math.max(width * 0.32, Math.min(0.6, width));
  const start = x + width * 1.1;
  pen.box(`norm ${part.norm_trained === 1 ? "lit" : "frozen"}`, start, top, norm, height);
  if (part.norm_trained > 0 && part.norm_trained < 1)
    pen.box("norm lit", start, pen.norm.gamma ? top : middle, norm, height / 2);
  if (part.off) holes(pen, part.off, x, top, start + norm - x, height);
}

/** Removes a stripe from a layer for each feature that is off; a layer's height stands for all its features. */
function holes(pen, off, x, top, width, height) {
  const each = height / off.length;
  for (let from = 0; from < off.length; from += 1) {
    if (!off[from]) continue;
    let to = from;
    while (off[to]) to += 1;
    pen.box("hole", x - 0.5, top + from * each, width + 1, (to - from) * each);
    from = to;
  }
}

function output(pen, { classes, trained, scored }, x, middle, limit = 120) {
  const shown = Math.min(classes, 10, Math.floor(limit / DOT_PITCH));
  const step = Math.min(12, limit / shown);
  const side = step * 0.66;
  for (let k = 0; k < shown; k += 1) {
    const y = middle + (k - (shown - 1) / 2) * step - step / 3;
    pen.box(`dot ${trained === 1 && !scored && !pen.off ? "lit" : "frozen"}`, x, y, side, side);
    if (pen.off) continue;
    if (scored) pen.box("dot kept", x, y, side, side);
    // Only the biases train.
    else if (trained > 0 && trained < 1) pen.box("dot lit", x + side / 4, y + side / 4, side / 2, side / 2);
  }
  if (limit > 60) pen.text(x + step / 3, HEIGHT - 8, "output");
}

const channelsOf = ({ units }) => units.at(-1).channels;

/** The blocks of a plan by stage. */
function stages({ blocks }) {
  const groups = new Map();
  for (const one of blocks) groups.set(one.stage, [...(groups.get(one.stage) ?? []), one]);
  return [...groups.values()];
}
