/**
 * What is known about the data sets that this engine can take: core/catalog/datasets.py. Pixels are in [0, 1] before
 * they are normalised by `mean` and `deviation`; `flip` and `pad` are the standard augmentation.
 */

const DIGITS = [..."0123456789"];
const IMAGENET = { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] };

export const DATASETS = {
  digits: {
    ...{ title: "Digits", shape: [1, 8, 8], classes: DIGITS, train: 1438, test: 359 },
    ...{ mean: [0.305], deviation: [0.376], flip: false, pad: 1 },
  },
  mnist: {
    ...{ title: "MNIST", shape: [1, 28, 28], classes: DIGITS, train: 60000, test: 10000 },
    ...{ mean: [0.1307], deviation: [0.3081], flip: false, pad: 2 },
  },
  "fashion-mnist": {
    ...{ title: "Fashion-MNIST", shape: [1, 28, 28], train: 60000, test: 10000 },
    classes: "T-shirt,trouser,pullover,dress,coat,sandal,shirt,sneaker,bag,ankle boot".split(","),
    ...{ mean: [0.286], deviation: [0.353], flip: true, pad: 2 },
  },
  "cifar-10": {
    ...{ title: "CIFAR-10", shape: [3, 32, 32], train: 50000, test: 10000 },
    classes: "airplane,automobile,bird,cat,deer,dog,frog,horse,ship,truck".split(","),
    ...{ ...IMAGENET, flip: true, pad: 4 },
  },
  svhn: {
    ...{ title: "SVHN", shape: [3, 32, 32], classes: DIGITS, train: 73257, test: 26032 },
    ...{ mean: [0.4377, 0.4438, 0.4728], deviation: [0.198, 0.201, 0.197], flip: false, pad: 4 },
  },
};

/** Pixels (N, H, W, C) from 0 to 255 -> normalised float32. */
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
