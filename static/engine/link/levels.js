/**
 * Numbers in 8 bits, as core/run/link/levels.py has them: a scale (float16), a zero (int16), and a byte a number.
 */

const HIGHEST = 255;
const FARTHEST = 32_767;
const GREATEST = 65_504; // of all float16
const LEAST_EXPONENT = -14;
const FRACTION_BITS = 10;

/** The nearest to `numbers`: { scale, zero, levels }. A 0 among them stays 0. Throws an Error. */
export function levelsOf(numbers) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of numbers) {
    if (!Number.isFinite(value)) throw new Error("This network has numbers that are not finite.");
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const scale = roundedUp(Math.max((high - low) / (HIGHEST - 1), -low / FARTHEST, high / FARTHEST));
  if (!scale) return { scale, zero: 0, levels: new Uint8Array(numbers.length) };
  const zero = toEven(-low / scale);
  const levels = Uint8Array.from(numbers, (value) => Math.min(HIGHEST, Math.max(0, toEven(value / scale) + zero)));
  return { scale, zero, levels };
}

/** The numbers that levels mean, rounded to float32 once. */
export function numbersOf({ scale, zero, levels }) {
  return Float32Array.from(levels, (level) => scale * (level - zero));
}

/** Scale, zero, levels as bytes. */
export function packed({ scale, zero, levels }) {
  const bytes = new Uint8Array(4 + levels.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, bitsOf(scale), true);
  view.setInt16(2, zero, true);
  bytes.set(levels, 4);
  return bytes;
}

/** The nearest whole number; of two the even one. */
function toEven(value) {
  const down = Math.floor(value);
  const rest = value - down;
  return rest > 0.5 || (rest === 0.5 && down % 2) ? down + 1 : down;
}

/** The exponent with which float16 has a number of 0 or more. */
function exponentOf(value) {
  let exponent = LEAST_EXPONENT;
  while (2 ** (exponent + 1) <= value) exponent += 1;
  return exponent;
}

/** The least float16 that is not less than `scale`. */
function roundedUp(scale) {
  if (!(scale <= GREATEST)) throw new Error("This network has numbers that are too large for 8 bits.");
  const step = 2 ** (exponentOf(scale) - FRACTION_BITS);
  return Math.ceil(scale / step) * step;
}

/** The 16 bits of a float16 of 0 or more. */
function bitsOf(scale) {
  const exponent = exponentOf(scale);
  const fraction = scale / 2 ** (exponent - FRACTION_BITS); // with the leading 1, where there is one
  return fraction < 1 << FRACTION_BITS ? fraction : ((exponent + 15) << FRACTION_BITS) + fraction - (1 << FRACTION_BITS);
}

/** The number that 16 bits mean. */
export function float16(bits) {
  const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -24 * fraction);
}
