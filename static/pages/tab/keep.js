/**
 * Keeps a finished training on the server: its capsule and its curves become a run, which a worker verifies.
 */

import { h, show } from "../../base/dom.js";
import { keepTraining, keptTraining } from "../../engine/kept.js";
import { ask, keepToken, Refusal, sendTraining, upload } from "../../server/api.js";
import { isOver } from "../../server/catalog.js";

const LOOK_MS = 2000;
const WORDS = {
  queued: "Kept on the server. It waits for a worker that verifies it.",
  running: "Kept on the server. A worker verifies it.",
  finished: "Kept on the server, which has verified it.",
  failed: "The server could not verify it. The run’s page says why.",
  cancelled: "The verification was cancelled.",
};

/** The button, and a line that says where the training stands on the server. */
export function keeping(training) {
  const button = h("button", { type: "button", class: "button", hidden: true }, "Keep on the server");
  const words = h("span", {});
  const link = h("a", { class: "button small", hidden: true }, "Open the run");
  const line = h("p", { class: "tab-kept", role: "status", hidden: true }, words, link);
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  let [kept, busy] = [null, false];

  const tell = (text, url = null) => {
    words.textContent = text;
    if (url) link.href = url;
    show(link, Boolean(url));
    show(line, Boolean(text));
  };
  const offer = () => show(button, Boolean(training.capsule) && !kept?.url && !busy);

  async function keep() {
    busy = true;
    show(problem, false);
    offer();
    try {
      tell("Sending the trained network…");
      kept = await remembered(training.id, { key: kept?.key ?? newKey() });
      const { digest } = await upload("/api/starts", training.capsule);
      const { recordOf } = await import("../../engine/training/record.js");
      tell("Sending its curves…");
      const answer = await sendTraining(digest, recordOf(training.run.spec, training.events), kept.key);
      if (answer.owner_token) keepToken(answer);
      kept = await remembered(training.id, { ...kept, id: answer.id, url: answer.url });
      watch();
    } catch (error) {
      tell("");
      problem.textContent = error.message;
      show(problem, true);
    }
    busy = false;
    offer();
  }

  /** Says how the run stands until it is over. A run that is gone can be kept anew. */
  async function watch() {
    tell(WORDS.queued, kept.url);
    for (let over = false; !over; ) {
      try {
        const run = await ask(`/api/runs/${encodeURIComponent(kept.id)}`);
        tell(WORDS[run.state], kept.url);
        over = isOver(run);
      } catch (refusal) {
        if (!(refusal instanceof Refusal)) throw refusal;
        if (refusal.status === 404) {
          kept = await remembered(training.id, null);
          tell("");
          return offer();
        }
        over = !refusal.passing;
      }
      if (!over) await new Promise((done) => setTimeout(done, LOOK_MS));
    }
  }

  button.addEventListener("click", keep);
  training.addEventListener("change", offer);
  keptTraining(training.id)
    .catch(() => null)
    .then((found) => {
      kept = found?.server ?? kept;
      if (kept?.url) watch();
      offer();
    });
  return { button, line, problem };
}

/** Remembers with the training where it is kept on the server; a browser that keeps nothing does without. */
async function remembered(id, server) {
  const training = await keptTraining(id).catch(() => null);
  if (training) await keepTraining({ ...training, server }).catch(() => {});
  return server;
}

const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(18)), (byte) => byte.toString(16).padStart(2, "0")).join("");
