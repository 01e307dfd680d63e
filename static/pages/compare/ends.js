/**
 * Names at the ends of lines, so that a reader need not look into the legend.
 */

import { token } from "../../base/theme.js";

const NARROW = 620; // pixels: below, names would take the room of the lines
const LINE = 15; // pixels from one name to the next
const LETTER = 6.4;
const LONGEST = 30;
const AROUND = 64; // pixels of the chart's height that the axis takes

/** Layout: an annotation for each of `lines`, {short, style, x, y} at its end, and the margin that they need. */
export function endNames(lines, top, { width, height }) {
  if (width < NARROW || !lines.length) return {};
  const pixels = (height - AROUND) / (top || 1);
  let below = Infinity;
  const annotations = [...lines]
    .sort((a, b) => b.y - a.y)
    .map(({ short, style, x, y }) => {
      const place = Math.min(y * pixels, below - LINE);
      below = place;
      return {
        x,
        y,
        yshift: place - y * pixels,
        xshift: 7,
        xanchor: "left",
        yanchor: "middle",
        align: "left",
        showarrow: false,
        text: `<span style="color:${style.color}">●</span> ${clipped(short).replaceAll("<", "&lt;")}`,
        font: { size: 11.5, color: token("ink") },
      };
    });
  const longest = Math.max(...lines.map(({ short }) => clipped(short).length));
  return { annotations, right: Math.round(longest * LETTER + 28) };
}

const clipped = (text) => (text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text);
