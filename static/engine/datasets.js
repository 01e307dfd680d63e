/**
 * What is known about the data sets that this engine can take: core/catalog/datasets.py. Pixels are in [0, 1] before
 * they are normalised by `mean` and `deviation`; `flip` and `pad` are the standard augmentation.
 */

const DIGITS = [..."0123456789"];
const IMAGENET = { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] };

export function normalised(pixels, { mean, deviation }) {
  const values = new Float32Array(pixels.length);
  const channels = mean.length;
  const [m, d] = [mean.map(Math.fround), deviation.map(Math.fround)];
  for (let i = 0; i < pixels.length; i += 1) {
    const c = i % channels;
    values[i] = Math.fround(Math.fround(pixels[i] / 255) - m[c]) / d[c];
  }
  return values;
}
