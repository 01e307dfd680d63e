/**
 * The images that come with this program (core/data/browser.py), loaded when they are needed.
 */

import { DATASETS } from "./datasets.js";

/** How many images of each data set come with it; of a part, they are the first ones that a spec with as few takes. */
export const SHIPPED = {
  digits: { train: 1438, test: 359 },
  "fashion-mnist": { train: 2500, test: 600 },
};

/**
 * The "train" or "test" images of a data set of SHIPPED: { pixels: (N, H, W, C) from 0 to 255, labels: (N,) }.
 * `progress(bytes)` is told how much has come.
 */
export async function loadImages(name, kind, progress = () => {}) {
  const answer = await fetch(new URL(`data/${name}-${kind}.bin.gz`, import.meta.url));
  if (!answer.ok) throw new Error(`The images could not be loaded (${answer.status}).`);
  let loaded = 0;
  const counting = new TransformStream({
    transform(part, out) {
      progress((loaded += part.length));
      out.enqueue(part);
    },
  });
  const plain = answer.body.pipeThrough(counting).pipeThrough(new DecompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(plain).arrayBuffer());
  const count = SHIPPED[name][kind];
  const each = DATASETS[name].shape.reduce((a, b) => a * b, 1);
  if (bytes.length !== count * (1 + each)) throw new Error("The images that came are damaged.");
  return { labels: bytes.subarray(0, count), pixels: bytes.subarray(count) };
}
