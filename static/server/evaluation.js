/**
 * Requests an evaluation and follows it to its end.
 */

import { ask, Refusal } from "./api.js";
import { repeat } from "./live.js";

const EVERY_MS = 400;

/**
 * Evaluates `request` on run `id`; `tell(evaluation)` gets the progress. Returns the finished evaluation. Throws an
 * Error or a Refusal with a message for a person. `signal` stops following.
 */
export async function evaluate(id, request, tell, signal) {
  const launched = await ask(`/api/runs/${encodeURIComponent(id)}/evaluations`, request);
  if (isDone(launched)) return settled(launched);
  tell(launched);
  return follow(launched.id, tell, signal);
}

function follow(id, tell, signal) {
  return new Promise((resolve, reject) => {
    const task = repeat(async () => {
      if (signal?.aborted) return false;
      try {
        const evaluation = await ask(`/api/evaluations/${id}`);
        if (signal?.aborted) return false;
        tell(evaluation);
        if (isDone(evaluation)) finish(() => resolve(settled(evaluation)));
        return !isDone(evaluation);
      } catch (error) {
        if (error instanceof Refusal && error.passing) throw error; // the page's clock tries again
        finish(() => reject(error));
        return false;
      }
    }, EVERY_MS);
    const finish = (end) => {
      task.stop();
      try {
        end();
      } catch (error) {
        reject(error);
      }
    };
  });
}

const isDone = ({ state }) => state === "finished" || state === "failed";

function settled(evaluation) {
  if (evaluation.state === "failed") throw new Error(evaluation.error);
  return evaluation;
}

/** The progress of an evaluation in words. */
export function progressWords({ state, share, workers, attempt }) {
  if (state === "queued")
    return workers === 0
      ? "No worker is running. This will continue when one connects."
      : attempt > 0
        ? "Interrupted; it will start again…"
        : "Waiting for a worker…";
  return share ? `Measuring: ${Math.round(share * 100)}%` : "Loading the network and the images…";
}
