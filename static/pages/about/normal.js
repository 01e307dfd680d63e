/**
 * BatchNorm and ReLU on a channel whose normalised values follow the normal distribution, computed without samples.
 */

/** The density of the normal distribution with mean 0 and variance 1. */
export const density = (x) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);

/** The share of the normal distribution below `x` (Abramowitz and Stegun 26.2.17: right to 1e-7). */
function below(x) {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const series = [0.31938153, -0.356563782, 1.781477937, -1.821255978, 1.330274429];
  const tail = density(x) * series.reduceRight((sum, factor) => (sum + factor) * t, 0);
  return x > 0 ? 1 - tail : tail;
}

/** For γ·x + β with normally distributed x: the share that ReLU makes 0, and the mean and spread of ReLU's output. */
export function afterRelu(gamma, beta) {
  const scale = Math.abs(gamma);
  if (scale < 1e-9) {
    const value = Math.max(0, beta);
    return { zero: value > 0 ? 0 : 1, mean: value, sd: 0 };
  }
  const at = beta / scale;
  const positive = below(at);
  const mean = beta * positive + scale * density(at);
  const square = (beta * beta + scale * scale) * positive + beta * scale * density(at);
  return { zero: 1 - positive, mean, sd: Math.sqrt(Math.max(0, square - mean * mean)) };
}
