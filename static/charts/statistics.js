/**
 * Mean, standard deviation and t-interval of a few values, for curves that change while the reader watches. The server
 * does the same in core/studies/statistics.py; a test compares the two.
 */

export const CONFIDENCE = 0.95;
const INTERVALS = 400; // intervals of Simpson's rule
const MOST_FREEDOM = 300; // beyond this, t changes only in the third digit

const known = new Map();

/** The t for which Student's distribution with `freedom` (an integer from 1) has `confidence` of its mass in -t..t. */
export function tQuantile(confidence, freedom) {
  const at = Math.min(freedom, MOST_FREEDOM);
  const key = `${confidence} ${at}`;
  if (!known.has(key)) known.set(key, quantile(confidence, at));
  return known.get(key);
}

/** Substitutes t = √freedom · tan(angle): the density becomes cos(angle) ** (freedom - 1). Integrates, then bisects. */
function quantile(confidence, freedom) {
  const whole = integral(Math.PI / 2, freedom - 1);
  let [low, high] = [0, Math.atan(1e9)];
  for (let step = 0; step < 60; step += 1) {
    const middle = (low + high) / 2;
    if (integral(middle, freedom - 1) / whole < confidence) low = middle;
    else high = middle;
  }
  return Math.sqrt(freedom) * Math.tan((low + high) / 2);
}

function integral(end, power) {
  const width = end / INTERVALS;
  let sum = 0;
  for (let i = 0; i <= INTERVALS; i += 1) {
    const weight = i === 0 || i === INTERVALS ? 1 : i % 2 ? 4 : 2;
    sum += weight * Math.max(0, Math.cos(i * width)) ** power;
  }
  return (width / 3) * sum;
}

/** {n, mean, sd, low, high} with the ends of the t-interval; a single value has only a mean. */
export function summary(values, confidence = CONFIDENCE) {
  const n = values.length;
  if (!n) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  if (n === 1) return { n, mean, sd: null, low: null, high: null };
  const sd = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1));
  const half = (tQuantile(confidence, n - 1) * sd) / Math.sqrt(n);
  return { n, mean, sd, low: mean - half, high: mean + half };
}

/** The kinds of band around a mean: title, and the two ends. */
export const BANDS = {
  t: { title: "95% t-interval", ends: (values) => pick(summary(values)) },
  sd: {
    title: "Standard deviation",
    ends: (values) => {
      const { mean, sd } = summary(values);
      return sd === null ? null : [mean - sd, mean + sd];
    },
  },
  range: {
    title: "Minimum to maximum",
    ends: (values) => (values.length < 2 ? null : [Math.min(...values), Math.max(...values)]),
  },
  none: { title: "No band", ends: () => null },
};

const pick = ({ low, high }) => (low === null ? null : [low, high]);

/** The exponential moving average in which the past has the weight `weight` (0..1), corrected for its zero start. */
export function smoothed(values, weight) {
  if (!weight) return values;
  let [sum, mass] = [0, 0];
  return values.map((value) => {
    sum = weight * sum + (1 - weight) * value;
    mass = weight * mass + (1 - weight);
    return sum / mass;
  });
}
