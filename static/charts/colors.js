/**
 * Colours of curves. A policy has the same hue on every page; what a comparison makes of it says `looksOf`. Colour-blind
 * readers can distinguish the hues (after Okabe and Ito).
 */

import { policyOf } from "../server/catalog.js";
import { isDark, token } from "../base/theme.js";

const DASHES = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot"];
const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "cross", "x", "star", "triangle-down"];
const HUES = 6;
const RAMP = 7;
const LIGHTER = 14; // percent of white or black for each step
const PALEST = 4; // steps

/** The colour token of a policy's curves; a policy without a hue of its own gets one by the hash of its name. */
const policyToken = (name) => `series-${policyOf(name).hue ?? 1 + (hash(name) % HUES)}`;

/** The colour of a policy's curves. */
export const policyColor = (name) => token(policyToken(name));

/**
 * The looks of things that differ in `traits`, each {key, values, ordered}: a list with the place of each thing's value
 * in `values`. The first trait is the colour (for policies their hues, for what has an order a ramp), the second the
 * dash, the third or else the first the symbol. With a trait `replicate` the later ones are paler.
 *
 * A look is {color, paint, dash, symbol, width}: `color` belongs to the present theme; `paint` is the same as CSS that
 * follows the theme of a document (core/documents/document.py).
 */
export function looksOf(traits, places, policy) {
  const told = traits.filter(({ key }) => key !== "replicate" || traits.length === 1);
  const [first, second, third] = told;
  const paints = first ? paintsOf(first, policy) : [[policyToken(policy), 0]];
  const again = traits.findIndex(({ key }) => key === "replicate");
  const seen = new Set();
  return places.map((place) => {
    const of = (trait) => (trait ? place[traits.indexOf(trait)] : 0);
    const [name, step] = paints[of(first)];
    const pale = first?.key !== "replicate" && again >= 0 ? place[again] : 0;
    const look = { paleness: Math.min(PALEST, step + pale), dash: DASHES[of(second) % DASHES.length] };
    let at = of(third ?? first);
    const taken = () => seen.has([name, look.paleness, look.dash, at % SYMBOLS.length].join());
    for (let tries = 0; tries < SYMBOLS.length && taken(); tries += 1) at += 1;
    seen.add([name, look.paleness, look.dash, at % SYMBOLS.length].join());
    return {
      color: shade(token(name), look.paleness),
      paint: look.paleness ? `color-mix(in srgb, var(--away) ${LIGHTER * look.paleness}%, var(--${name}))` : `var(--${name})`,
      dash: look.dash,
      symbol: SYMBOLS[at % SYMBOLS.length],
      width: 2,
    };
  });
}

/** [colour token, steps paler] of each value of a trait. */
function paintsOf({ key, values, ordered }, policy) {
  const ramp = () => values.map((_, at) => [`ramp-${1 + Math.round((at * (RAMP - 1)) / Math.max(1, values.length - 1))}`, 0]);
  if (key === "replicate") return values.map((_, at) => [policyToken(policy), at]);
  if (key !== "policy") return ordered || values.length > HUES ? ramp() : values.map((_, at) => [`series-${1 + at}`, 0]);
  const hues = values.map(policyToken);
  if (new Set(hues).size === 1) return ramp();
  const before = (at) => hues.slice(0, at).filter((hue) => hue === hues[at]).length;
  return hues.map((hue, at) => [hue, before(at)]);
}

/** Mixes `color` (#rrggbb) with white or black, a little more with each step. */
function shade(color, step) {
  if (!step) return color;
  const toward = isDark() ? 255 : 0;
  const part = (at) => parseInt(color.slice(at, at + 2), 16);
  const mixed = [1, 3, 5].map((at) => Math.round(part(at) + ((toward - part(at)) * LIGHTER * step) / 100));
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

/** From nearly the page's background to the strongest contrast with it, so that little looks like little. */
const HEAT = {
  light: ["#eaf1f3", "#c4e0dc", "#94cabd", "#5fb0a0", "#37938f", "#2b7584", "#2d5776", "#333a66", "#341b4e"],
  dark: ["#222d38", "#24485a", "#266472", "#2f8081", "#489c88", "#74b788", "#a9cf86", "#dfe48e", "#fdf7b2"],
};

function heat() {
  const colors = HEAT[isDark() ? "dark" : "light"];
  return colors.map((color, index) => [index / (colors.length - 1), color]);
}

/** Colours and key of a heatmap of counts of `what` up to `most`; its z values are the counts' logarithms (base 10). */
export function heatScale(most, what = "features") {
  const top = Math.log10(Math.max(most, 10));
  const ticks = [1, 10, 100, 1000, 10_000, 100_000].filter((count) => Math.log10(count) <= top);
  return {
    zmin: -0.35, // so that one feature can be told from none
    zmax: top,
    colorscale: heat(),
    colorbar: {
      thickness: 8,
      outlinewidth: 0,
      tickvals: ticks.map(Math.log10),
      ticktext: ticks.map((count) => count.toLocaleString("en")),
      title: { text: what, side: "right", font: { size: 11, color: token("quiet") } },
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
    colorbar: { thickness: 8, outlinewidth: 0, ticksuffix: "%", title: { text: "off", side: "right", font: { size: 11, color: token("quiet") } }, tickfont: { size: 11, color: token("quiet") }, ypad: 4 },
  };
}

/** A 32-bit hash of `text`. */
export function hash(text) {
  return [...text].reduce((sum, letter) => (Math.imul(sum, 31) + letter.charCodeAt(0)) >>> 0, 7);
}
