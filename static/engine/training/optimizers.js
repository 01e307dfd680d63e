/**
 * How values are updated by their gradients, as PyTorch's SGD, Adam and AdamW do it.
 */

const BETA_2 = 0.999;
const EPS = 1e-8;

/** Each updates `values` in place by `gradient`; `state` remembers what the optimiser needs, and begins as {}. */
export const OPTIMIZERS = {
  sgd(values, gradient, state, lr, { momentum, nesterov, weight_decay: decay }) {
    const first = !state.momentum;
    state.momentum ??= new Float32Array(values.length);
    const buffer = state.momentum;
    for (let i = 0; i < values.length; i += 1) {
      const g = gradient[i] + decay * values[i];
      buffer[i] = first ? g : momentum * buffer[i] + g;
      values[i] -= lr * (nesterov ? g + momentum * buffer[i] : momentum ? buffer[i] : g);
    }
  },
  adam: (values, gradient, state, lr, recipe) => adam(values, gradient, state, lr, recipe, false),
  adamw: (values, gradient, state, lr, recipe) => adam(values, gradient, state, lr, recipe, true),
};

function adam(values, gradient, state, lr, { momentum, weight_decay: decay }, decoupled) {
  state.mean ??= new Float32Array(values.length);
  state.square ??= new Float32Array(values.length);
  state.steps = (state.steps ?? 0) + 1;
  const { mean, square, steps } = state;
  const [first, second] = [1 - momentum ** steps, Math.sqrt(1 - BETA_2 ** steps)];
  for (let i = 0; i < values.length; i += 1) {
    if (decoupled) values[i] *= 1 - lr * decay;
    const g = gradient[i] + (decoupled ? 0 : decay * values[i]);
    mean[i] += (g - mean[i]) * (1 - momentum);
    square[i] = BETA_2 * square[i] + (1 - BETA_2) * g * g;
    values[i] -= ((lr / first) * mean[i]) / (Math.sqrt(square[i]) / second + EPS);
  }
}
