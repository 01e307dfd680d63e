/**
 * What the 8 bits of a link cost, in words.
 */

import { percent } from "../base/format.js";

/** `on`: the images; `exact`, `there`: the test accuracy without and with 8 bits (0..1). */
export function costInWords(on, exact, there) {
  return `Measured on ${on}: test accuracy ${percent(there, 2)} from the link, ${percent(exact, 2)} without rounding to 8 bits (${points(there - exact)}).`;
}

const points = (share) => `${share > 0 ? "+" : share < 0 ? "−" : "±"}${Math.abs(share * 100).toFixed(2)} points`;
