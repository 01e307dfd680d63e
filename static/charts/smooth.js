/**
 * Smoothing of a curve, for the eye only: an exponential moving average that starts without a bias towards zero.
 */

/** `values` averaged with `weight` (0: as they are, near 1: very smooth) on what came before. */
export function smooth(values, weight) {
  let [sum, scale] = [0, 1];
  return values.map((value) => {
    sum = weight * sum + (1 - weight) * value;
    scale *= weight;
    return sum / (1 - scale);
  });
}
