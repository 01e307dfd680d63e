/**
 * The learning rate of every step: core/catalog/schedules.py.
 */

const RISE = 0.3; // of a cycle: the share of the run in which the rate rises
const DIVIDE = 25; // the peak by this is the first rate
const DIVIDE_AT_END = 1e4; // and that by this the last one

const FACTORS = {
  step({ lr_drops: drops, lr_drop_factor: factor }, step, total) {
    return factor ** drops.filter((share) => step >= Math.ceil(share * total - 1e-9)).length;
  },
  cosine(recipe, step, total, warm) {
    const share = Math.max(0, step - warm) / Math.max(1, total - warm - 1);
    return 0.5 * (1 + Math.cos(Math.PI * Math.min(1, share)));
  },
  "one-cycle"(recipe, step, total, warm) {
    const [low, end] = [1 / DIVIDE, 1 / DIVIDE / DIVIDE_AT_END];
    const [steps, done] = [Math.max(1, total - warm), Math.max(0, step - warm)];
    const peak = RISE * steps - 1;
    if (done < peak) return low + (1 - low) * 0.5 * (1 - Math.cos((Math.PI * done) / peak));
    return end + (1 - end) * 0.5 * (1 + Math.cos(Math.PI * Math.min(1, (done - peak) / (steps - 1 - peak))));
  },
  constant: () => 1,
};

/** Of step number `step`, from 0. */
export function rateOf(recipe, step, stepsPerEpoch, total) {
  const warm = recipe.warmup_epochs * stepsPerEpoch;
  const factor = FACTORS[recipe.schedule](recipe, step, total, warm);
  return recipe.lr * factor * (warm ? Math.min(1, step / warm) : 1);
}
