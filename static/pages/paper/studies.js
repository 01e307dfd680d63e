/**
 * Requests about studies, and the owner tokens of those that this browser launched.
 */

import { ask, ownerToken } from "../../server/api.js";
import { set } from "../../base/storage.js";

const OWNED = "onlybn.owner."; // the same prefix as in api.js

export const allQuestions = () => ask("/api/studies");

export const lookAt = (id) => ask(`/api/studies/${encodeURIComponent(id)}`);

/** Launches a study, unless the same one has finished already. Returns its present state. */
export async function launchStudy(name, scale) {
  const launched = await ask("/api/studies", { name, scale });
  if (launched.owner_token) set(OWNED + launched.id, launched.owner_token);
  return lookAt(launched.id);
}

/** Cancels or resumes a study (`action`: "cancel" or "resume"). Returns the study. */
export const changeStudy = (id, action) =>
  ask(`/api/studies/${encodeURIComponent(id)}/${action}`, {}, { "X-Owner-Token": ownerToken(id) });

export const isMine = (study) => Boolean(ownerToken(study.id));

export const isActive = (study) => Boolean(study) && (study.state === "queued" || study.state === "running");
