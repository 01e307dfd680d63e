/**
 * The seeds that follow from a replicate (core/run/spec.py, derive_seed).
 */

const PURPOSES = ["init", "order", "augmentation", "choice"];
const TEXT = new TextEncoder();

/** { init, order, augmentation, choice }: 32 bits each. */
export function seedsOf(kernels, replicate) {
  return Object.fromEntries(PURPOSES.map((purpose) => [purpose, seedOf(kernels, `onlybn/${purpose}/${replicate}`)]));
}

function seedOf(kernels, words) {
  const text = TEXT.encode(words);
  const at = kernels.put(new Float32Array(32)); // room for the text and its digest
  kernels.bytes(at, text.length).set(text);
  kernels.exports.onlybn_sha256(at, text.length, at + 96);
  const [a, b, c, d] = kernels.bytes(at + 96, 4);
  kernels.give(at);
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}
