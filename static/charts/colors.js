/**
 * The colour and dash of a run's curve: they depend on policy and architecture, never on the order in a list, so that a
 * run looks the same on every page. Colour-blind readers can distinguish the hues (after Okabe and Ito).
 */

import { parseArchitecture, policyOf } from "../server/catalog.js";
import { isDark, token } from "../base/theme.js";

const DASHES = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot"];

/** The colour token of a policy's curves; a policy without a hue of its own gets one by the hash of its name. */
const policyToken = (name) => `series-${policyOf(name).hue ?? 1 + (hash(name) % 6)}`;

/** The colour of a policy's curves. */
export const policyColor = (name) => token(policyToken(name));

/** The dash of an architecture's curves. */
function architectureDash(name) {
  const found = parseArchitecture(name);
  const place = found ? found.family.featured.indexOf(found.number) : -1;
  return DASHES[(place < 0 ? hash(name) : place) % DASHES.length];
}

/**
 * The look of a run's curve; replicates of one experiment differ in lightness. `color` belongs to the present theme;
 * `paint` is the same as CSS that follows the theme of a document (core/documents/document.py).
 */
function styleOf({ architecture, policy, replicate }) {
  const step = replicate % 5;
  const name = policyToken(policy);
  return { color: shade(token(name), step), paint: paint(name, step), dash: architectureDash(architecture), width: 2 };
}

const paint = (name, step = 0) => (step ? `color-mix(in srgb, var(--away) ${14 * step}%, var(--${name}))` : `var(--${name})`);

const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "cross", "x", "star", "triangle-down"];

/** The look of a run among others: that of its curve, and a symbol for all fields but policy and replicate. */
export function runStyle(spec) {
  const { policy, replicate, seeds, name, ...rest } = spec;
  return { ...styleOf(spec), symbol: symbolOf(JSON.stringify(rest)) };
}

/** The look of a group: the colour of its only policy, else one by its key, and the dash of its only architecture. */
export function groupStyle(key, specs) {
  const only = (field) => (new Set(specs.map((spec) => spec[field])).size === 1 ? specs[0][field] : null);
  const [policy, architecture] = [only("policy"), only("architecture")];
  const name = policy ? policyToken(policy) : `series-${1 + (hash(key) % 6)}`;
  return { color: token(name), paint: paint(name), dash: architecture ? architectureDash(architecture) : "solid", symbol: symbolOf(key), width: 2 };
}

const symbolOf = (text) => SYMBOLS[hash(text) % SYMBOLS.length];

/** Mixes `color` (#rrggbb) with white or black, a little more with each step. */
function shade(color, step) {
  if (!step) return color;
  const toward = isDark() ? 255 : 0;
  const part = (at) => parseInt(color.slice(at, at + 2), 16);
  const mixed = [1, 3, 5].map((at) => Math.round(part(at) + (toward - part(at)) * 0.14 * step));
  return `rgb(${mixed.join(",")})`;
}

/** `color` (#rrggbb or rgb()) with an alpha. */
export function faint(color, alpha) {
  if (color.startsWith("rgb(")) return color.replace("rgb(", "rgba(").replace(")", `,${alpha})`);
  return (
    color +
    Math.round(alpha * 255)
      .toString(16)
      .padStart(2, "0")
  );
}

const VIRIDIS = ["#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30", "#fde725"];

/** Viridis, so that higher values contrast more with the page: darker on a light page, lighter on a dark one. */
function heat() {
  const colors = isDark() ? VIRIDIS : [...VIRIDIS].reverse();
  return colors.map((color, index) => [index / (colors.length - 1), color]);
}

/** Colours and key of a heatmap of counts up to `most`; its z values are the counts' logarithms (base 10). */
export function heatScale(most) {
  const top = Math.log10(Math.max(most, 10));
  const ticks = [1, 10, 100, 1000, 10_000, 100_000].filter((count) => Math.log10(count) <= top);
  return {
    zmin: 0,
    zmax: top,
    colorscale: heat(),
    colorbar: {
      thickness: 8,
      outlinewidth: 0,
      tickvals: ticks.map(Math.log10),
      ticktext: ticks.map(String),
      tickfont: { size: 11, color: token("quiet") },
      ypad: 4,
    },
  };
}

/** Colours and key of a heatmap of shares in percent from 0 to `most`. */
export function shareScale(most) {
  return {
    zmin: 0,
    zmax: most,
    colorscale: heat(),
    colorbar: { thickness: 8, outlinewidth: 0, ticksuffix: " %", tickfont: { size: 11, color: token("quiet") }, ypad: 4 },
  };
}

/** A 32-bit hash of `text`. */
export function hash(text) {
  return [...text].reduce((sum, letter) => (Math.imul(sum, 31) + letter.charCodeAt(0)) >>> 0, 7);
}
