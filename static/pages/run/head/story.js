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
    const begun = run.progress.step > 0 ? `It has come to ${epochOf(run)} and will go on from its last checkpoint. ` : "";
    const others = ahead === 1 ? "One other run waits before it" : `${ahead} other runs wait before it`;
    const who = ahead === null ? "It waits" : ahead ? others : "Next in the queue";
    if (paused) return [begun, `${who}. The queue is paused: it starts after that is over.`];
    if (slots === 0) return [begun, `${who}, but no worker is there: it starts when one comes.`];
    if (!starts) return [begun, `${who}.`];
    return [begun, starts.high <= 5 ? `${who}; it starts in a moment.` : `${who}; it starts in ${range(starts)}.`];
  },
  running(facts) {
    const { run } = facts;
    const { step, total_steps, analysed, tested } = run.progress;
    if (run.cancel_requested) return [`Stopping in ${epochOf(run)}, as asked. The curves so far are kept.`];
    if (analysed !== null) return ["The training is over; the trained network is being analysed. ", ...standing(facts)];
    if (!step && tested !== null) return ["Testing the network as it was drawn, before it learns."];
    if (!step) return ["Starting: the network is drawn and the images are loaded."];
    const where = step >= total_steps ? `All ${run.spec.epochs} epochs are done` : `In ${epochOf(run)}`;
    return [`${where}. `, ...standing(facts)];
  },
  finished(facts) {
    const { epochs } = facts.run.spec;
    return [`Done, after ${epochs} ${epochs === 1 ? "epoch" : "epochs"}. `, ...standing(facts)];
  },
  failed: (facts) => ended("It failed", facts),
  cancelled: (facts) => ended("It was cancelled", facts),
};

function ended(how, facts) {
  if (!facts.run.progress.step) return [`${how} before it had learned anything.`];
  return [`${how} in ${epochOf(facts.run)}, and the curves so far are kept. `, ...standing(facts)];
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

/** "; the twin with random parameters was at 27% then." */
function rival(run, twin, asMany, epoch) {
  const link = { text: nameOfTwin(run, twin.run, asMany), href: twin.run.url };
  if (run.state === "finished" && twin.run.state === "finished")
    return ["; ", link, ` ended at ${percent(twin.run.result?.top1 ?? twin.run.top1)}.`];
  const last = twin.tests.at(-1);
  if (!last) return ["."];
  const mine = epoch ?? run.spec.epochs;
  if (twin.run.state === "running" && last.epoch < mine)
    return ["; ", link, `, only at epoch ${Math.round(last.epoch)} yet, is at ${percent(last.top1)}.`];
  const then = twin.tests.findLast((point) => point.epoch <= mine) ?? last;
  return ["; ", link, ` was at ${percent(then.top1)} at this point.`];
}

function nameOfTwin(run, twin, asMany) {
  const { policy } = twin.spec;
  if (policy.startsWith("random-")) return `the twin with ${asMany ? "as many " : ""}random parameters`;
  const what = policyOf(policy).title;
  return run.spec.policy.startsWith("random-") && policy === "batchnorm"
    ? "the twin that trains BatchNorm instead"
    : `the twin that trains “${what}”`;
}
