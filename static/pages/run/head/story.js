/**
 * The story of a run: what is happening to it, in sentences.
 */

import { policyOf } from "../../../server/catalog.js";
import { percent, range } from "../../../base/format.js";

/**
 * The sentences as a list of texts and links ({text, href}).
 *
 * `facts`: run; off, the share of disabled features or null; twin {run, tests} or null, with its test points in
 * `tests`; asMany, whether the twin trains as many parameters; epoch of the run's last test or null; starts {low, high}
 * or null; slots of the workers or null; paused, whether the queue is.
 */
export function story(facts) {
  const { run } = facts;
  return STORIES[run.state](facts).filter(Boolean);
}

const STORIES = {
  queued({ run, starts, slots, paused }) {
    const ahead = run.position === null ? null : run.position - 1;
    const begun = run.progress.step > 0 ? `It reached ${epochOf(run)} and will resume from its last checkpoint. ` : "";
    const others = ahead === 1 ? "One run is ahead of it" : `${ahead} runs are ahead of it`;
    const who = ahead === null ? "Queued" : ahead ? others : "Next in the queue";
    if (run.waits_for) return [begun, `${run.waits_for} It will start when such a worker connects.`];
    if (paused) return [begun, `${who}. The queue is paused; the run will start after it reopens.`];
    if (slots === 0) return [begun, `${who}. It will start when a worker connects.`];
    if (!starts) return [begun, `${who}.`];
    return [begun, starts.high <= 5 ? `${who}. It will start in a moment.` : `${who}. It will start in ${range(starts)}.`];
  },
  running(facts) {
    const { run } = facts;
    const { step, total_steps, analysed, tested } = run.progress;
    if (run.cancel_requested) return [`Stopping in ${epochOf(run)}, as requested. The curves so far are kept.`];
    if (analysed !== null) return ["Training is complete. Analysing the trained network… ", ...standing(facts)];
    if (!step && tested !== null) return ["Testing the random network before training…"];
    if (!step) return ["Preparing: initialising the network and loading images…"];
    const complete = step >= total_steps;
    if (isComputed(run))
      return [complete ? "The teacher is trained. Computing γ and β…" : `The teacher is in ${epochOf(run)}; γ and β come last.`];
    const where = complete ? `All ${run.spec.epochs} epochs are complete` : `In ${epochOf(run)}`;
    return [`${where}. `, ...standing(facts)];
  },
  finished(facts) {
    const { epochs } = facts.run.spec;
    if (isComputed(facts.run)) return ["Finished: γ and β are computed, nothing in this network trained. ", ...standing(facts)];
    return [`Finished after ${epochs} ${epochs === 1 ? "epoch" : "epochs"}. `, ...standing(facts)];
  },
  failed: (facts) => ended("Failed", facts),
  cancelled: (facts) => ended("Cancelled", facts),
};

const isComputed = (run) => run.spec.recipe.optimizer === "least-squares";

function ended(how, facts) {
  if (!facts.run.progress.step) return [`${how} before it learned anything.`];
  return [`${how} in ${epochOf(facts.run)}. The curves so far are kept. `, ...standing(facts)];
}

/** epoch 12 of 40 */
function epochOf({ progress: { step, total_steps }, spec: { epochs } }) {
  return `epoch ${Math.min(epochs, Math.floor((step / total_steps) * epochs) + 1)} of ${epochs}`;
}

/** The share that is off, the accuracy, and the twin's accuracy. */
function standing({ run, off, twin, asMany, epoch = null }) {
  const [is, are] = ["failed", "cancelled"].includes(run.state) ? ["was", "were"] : ["is", "are"];
  const top1 = run.result?.top1 ?? run.top1;
  const parts = [];
  if (off !== null) parts.push(`${percent(off, 0)} of the features ${are} off`);
  if (top1 !== null) parts.push(`test accuracy ${is} ${percent(top1)}`);
  if (!parts.length) return [];
  const own = parts.join(", and ");
  return [own[0].toUpperCase() + own.slice(1), ...(twin && top1 !== null ? rival(run, twin, asMany, epoch) : ["."])];
}

/** "; its twin with random weights was at 27% at this point." */
function rival(run, twin, asMany, epoch) {
  const link = { text: nameOfTwin(run, twin.run, asMany), href: twin.run.url };
  if (run.state === "finished" && twin.run.state === "finished")
    return ["; ", link, ` ended at ${percent(twin.run.result?.top1 ?? twin.run.top1)}.`];
  const last = twin.tests.at(-1);
  if (!last) return ["."];
  const mine = epoch ?? run.spec.epochs;
  if (twin.run.state === "running" && last.epoch < mine)
    return ["; ", link, ` is at ${percent(last.top1)} (epoch ${Math.round(last.epoch)}).`];
  const then = twin.tests.findLast((point) => point.epoch <= mine) ?? last;
  return ["; ", link, ` was at ${percent(then.top1)} at this point.`];
}

function nameOfTwin(run, twin, asMany) {
  const { policy } = twin.spec;
  if (policy.startsWith("random-")) return `its twin with ${asMany ? "the same number of " : ""}random weights`;
  const what = policyOf(policy).title;
  return run.spec.policy.startsWith("random-") && policy === "batchnorm"
    ? "its twin that trains BatchNorm instead"
    : `its twin that trains “${what}”`;
}
