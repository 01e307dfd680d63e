/**
 * The worker of a tab: trains one spec, tells its page the events, and keeps the training so that it survives a reload.
 *
 * Messages to it: { id, spec } begins or goes on; { stop: true } stops after the step under way. From it: { event }, one
 * of core/run/events.py; { stopped: true }; { capsule: bytes }; { problem: words }.
 */

import { loadImages } from "../images.js";
import { keepTraining, keptTraining } from "../kept.js";
import { openKernels } from "../kernels.js";
import { threadsHere } from "../team.js";
import { capsuleOf } from "../writing.js";
import { Run } from "./run.js";

const KEEP_MS = 2000;
const BREATH_MS = 40; // between two looks at the messages

let stopping = false;

self.onmessage = ({ data }) => {
  if (data.stop) stopping = true;
  else begin(data).catch((error) => self.postMessage({ problem: error.message }));
};

async function begin({ id, spec }) {
  const [kernels, train, test, kept] = await Promise.all([
    openKernels({ threads: threadsHere() }),
    loadImages(spec.dataset, "train", (bytes) => self.postMessage({ loaded: bytes })),
    loadImages(spec.dataset, "test"),
    keptTraining(id).catch(() => null), // a browser that keeps nothing can train all the same
  ]);
  const training = kept ?? { id, spec, state: null, events: [], result: null, capsule: null, at: Date.now() };
  const run = new Run(kernels, spec, { train, test }, training.state);
  const keep = () => keepTraining({ ...training, state: run.state(), at: Date.now() }).catch(() => {});
  let [kept_ms, breathed] = [performance.now(), performance.now()];
  for (const event of run.events()) {
    if (event) {
      // The page has the events of before a reload; a training that goes on says again only how it began.
      if (event.event !== "progress") training.events.push(event);
      self.postMessage({ event });
    }
    if (performance.now() - breathed < BREATH_MS) continue;
    await new Promise((done) => setTimeout(done));
    breathed = performance.now();
    if (stopping) {
      await keep();
      run.close();
      kernels.close();
      stopping = false;
      return self.postMessage({ stopped: true });
    }
    if (event && breathed - kept_ms >= KEEP_MS) {
      await keep();
      kept_ms = performance.now();
    }
  }
  const tensors = [...run.learner.trainable.tensors].map(([name, { values }]) => [name, values().slice()]);
  const { bytes, result } = capsuleOf(kernels, spec, run.learner.network, tensors, run.result());
  training.events.push(result);
  await keepTraining({ ...training, state: null, result, capsule: bytes, at: Date.now() }).catch(() => {});
  self.postMessage({ event: result });
  self.postMessage({ capsule: bytes });
  run.close();
  kernels.close();
}
