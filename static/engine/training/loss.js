/**
 * Cross-entropy with label smoothing, as PyTorch has it.
 */

/** Mean loss, how many images were classified correctly, and the gradient (N, classes) of the mean loss. */
export function crossEntropy(logits, labels, classes, smoothing = 0) {
  const gradient = new Float32Array(logits.length);
  let [loss, correct] = [0, 0];
  labels.forEach((label, image) => {
    const own = logits.subarray(image * classes, (image + 1) * classes);
    const top = Math.max(...own);
    const exponentials = Array.from(own, (value) => Math.exp(value - top));
    const total = exponentials.reduce((a, b) => a + b, 0);
    const log = Math.log(total) + top;
    for (let k = 0; k < classes; k += 1) {
      const share = smoothing / classes + (k === label ? 1 - smoothing : 0);
      gradient[image * classes + k] = (exponentials[k] / total - share) / labels.length;
      loss += share * (log - own[k]);
    }
    if (own.indexOf(top) === label) correct += 1;
  });
  return { loss: loss / labels.length, correct, gradient };
}

/** For how many images the label is among the `count` likeliest classes. */
export function inTop(count, logits, labels, classes) {
  let right = 0;
  labels.forEach((label, image) => {
    const own = logits.subarray(image * classes, (image + 1) * classes);
    if (own.reduce((better, value) => better + (value > own[label] ? 1 : 0), 0) < count) right += 1;
  });
  return right;
}
