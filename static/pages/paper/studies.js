/**
 * Requests about studies, and the tokens of those that this browser launched.
 */

import { ask, ownerToken } from "../../server/api.js";
import { set } from "../../base/storage.js";

const OWNED = "onlybn.owner."; // as api.js keeps those of runs

export const allQuestions = () => ask("/api/studies");

export const lookAt = (id) => ask(`/api/studies/${encodeURIComponent(id)}`);

/** Launches a study and answers it as it stands; one that somebody has finished is not launched again. */
export async function launchStudy(name, scale) {
  const launched = await ask("/api/studies", { name, scale });
  if (launched.owner_token) set(OWNED + launched.id, launched.owner_token);
  return lookAt(launched.id);
}

/** "cancel" or "resume"; answers the study. */
export const changeStudy = (id, action) =>
  ask(`/api/studies/${encodeURIComponent(id)}/${action}`, {}, { "X-Owner-Token": ownerToken(id) });

export const isMine = (study) => Boolean(ownerToken(study.id));

export const isActive = (study) => Boolean(study) && (study.state === "queued" || study.state === "running");
