/**
 * Feature maps as pictures.
 */

import { isDark } from "../base/theme.js";

const NEGATIVE = [0, 114, 178];
const POSITIVE = [213, 94, 0];

/** Paints a map of levels from -127 to 127: blue below 0, orange above, the page's background at 0. */
export function paint(canvas, levels) {
  const zero = isDark() ? [21, 26, 33] : [255, 255, 255];
  const image = new ImageData(canvas.width, canvas.height);
  levels.forEach((level, k) => {
    const share = Math.abs(level) / 127;
    const full = level < 0 ? NEGATIVE : POSITIVE;
    for (let channel = 0; channel < 3; channel += 1)
      image.data[4 * k + channel] = Math.round(zero[channel] + (full[channel] - zero[channel]) * share);
    image.data[4 * k + 3] = 255;
  });
  canvas.getContext("2d").putImageData(image, 0, 0);
}
