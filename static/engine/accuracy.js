/**
 * How many test images a network classifies correctly, in parts that leave time for the page.
 */

import { normalised } from "./datasets.js";

const TOGETHER = 64; // images between two frames

/**
 * Share of correct answers of a Network on images { pixels, labels } of `data`, one of DATASETS. `going()`: whether to
 * go on; null if not.
 */
export async function accuracyOf(network, data, { pixels, labels }, going = () => true) {
  const each = data.shape.reduce((a, b) => a * b, 1);
  const classes = data.classes.length;
  let right = 0;
  for (let first = 0; first < labels.length; first += TOGETHER) {
    const some = Math.min(TOGETHER, labels.length - first);
    const part = pixels.subarray(first * each, (first + some) * each);
    const logits = network.logits(normalised(part, data), some);
    for (let i = 0; i < some; i += 1) {
      const own = logits.subarray(i * classes, (i + 1) * classes);
      right += own.indexOf(Math.max(...own)) === labels[first + i] ? 1 : 0;
    }
    await new Promise((done) => setTimeout(done));
    if (!going()) return null;
  }
  return right / labels.length;
}
