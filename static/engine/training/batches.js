/**
 * The batches of an epoch: order and augmentation follow from the seeds, as on the server (core/data/batches.py).
 */

import { normalised } from "../datasets.js";
import { Draw } from "../draw.js";

/** The first `count` images of a split of `length`, the same for every replicate: their places. */
export function subsetOf(kernels, length, count) {
  if (count === null || count === length) return Int32Array.from({ length }, (_, i) => i);
  return drawn(kernels, 0, ["subset"], (draw) => draw.order(length)).slice(0, count);
}

/** `split`: { pixels: (N, H, W, C) from 0 to 255, labels }; `data`: of DATASETS. Yields { images, labels, count }. */
export function* batchesOf(kernels, split, data, spec, epoch, first = 0) {
  const length = split.labels.length;
  const [channels, size] = data.shape;
  const order = drawn(kernels, spec.seeds.order, [epoch], (draw) => draw.order(length));
  const shifts = drawn(kernels, spec.seeds.augmentation, ["augmentation", epoch], (draw) => ({
    mirrored: draw.coins(length),
    corners: draw.below(2 * length, 2 * data.pad + 1),
  }));
  const each = size * size * channels;
  const shifted = spec.recipe.augmentation === "standard";
  for (let begin = first * spec.recipe.batch_size; begin < length; begin += spec.recipe.batch_size) {
    const count = Math.min(spec.recipe.batch_size, length - begin);
    const pixels = new Uint8Array(count * each);
    const labels = new Int32Array(count);
    for (let i = 0; i < count; i += 1) {
      const row = begin + i;
      const image = split.pixels.subarray(order[row] * each, (order[row] + 1) * each);
      const to = pixels.subarray(i * each, (i + 1) * each);
      labels[i] = split.labels[order[row]];
      if (!shifted) to.set(image);
      else {
        const [top, left] = [shifts.corners[row] - data.pad, shifts.corners[length + row] - data.pad];
        shift(image, to, size, channels, top, left, data.flip && shifts.mirrored[row]);
      }
    }
    yield { images: normalised(pixels, data), labels, count };
  }
}

/** The crop of `image` whose corner is at (top, left), outside of which all is black; mirrored afterwards. */
function shift(image, to, size, channels, top, left, mirrored) {
  for (let y = 0; y < size; y += 1) {
    const row = y + top;
    if (row < 0 || row >= size) continue;
    for (let x = 0; x < size; x += 1) {
      const column = (mirrored ? size - 1 - x : x) + left;
      if (column < 0 || column >= size) continue;
      for (let c = 0; c < channels; c += 1)
        to[(y * size + x) * channels + c] = image[(row * size + column) * channels + c];
    }
  }
}

function drawn(kernels, seed, parts, take) {
  const draw = new Draw(kernels, seed, ...parts);
  const values = take(draw);
  draw.close();
  return values;
}
