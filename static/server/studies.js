/**
 * Requests about studies, and the owner tokens of those that this browser launched.
 */

import { visit } from "../base/address.js";
import { tab } from "../base/storage.js";
import { ask, keepToken, ownerToken, sendText } from "./api.js";
import { toQuery } from "./spec.js";

const DRAFT = "onlybn.question";

export const allQuestions = () => ask("/api/studies");

export const lookAt = (id) => ask(`/api/studies/${encodeURIComponent(id)}`);

/**
 * Launches a study, unless the same one has finished already; `webhook`: the address to notify at the end, or "".
 * Returns its present state.
 */
export async function launchStudy(name, scale, webhook) {
  return lookAt((await launch({ name, scale }, webhook)).id);
}

/**
 * Asks a question of the visitor's own; `webhook`: the address to notify at the end, or ""; `label`: that of the workers
 * that take its runs, or "". Returns {id, url}; the same question is not asked twice.
 */
export const askQuestion = (question, webhook, label) => launch(question, webhook, label);

async function launch(body, webhook = "", label = "") {
  const path = label ? `/api/studies?label=${encodeURIComponent(label)}` : "/api/studies";
  const launched = await ask(path, body, webhook ? { "X-Webhook": webhook } : {});
  if (launched.owner_token) keepToken(launched);
  return launched;
}

/** What a question would run and cost; `question` is an object, or text in YAML or JSON. */
export const previewQuestion = (question) =>
  typeof question === "string" ? sendText("/api/studies/preview", question) : ask("/api/studies/preview", question);

/** Opens the Train page with a question: the form has what all its runs share, and the question the rest. */
export function openInForm(question) {
  tab.set(DRAFT, JSON.stringify(question));
  visit(`/train${toQuery(question.base)}`);
}

/** The question that `openInForm` has left for this page, or null; it is handed out once. */
export function takeDraft() {
  const kept = tab.get(DRAFT);
  tab.set(DRAFT, null);
  return kept && JSON.parse(kept);
}

/** Cancels or resumes a study (`action`: "cancel" or "resume"). Returns the study. */
export const changeStudy = (id, action) =>
  ask(`/api/studies/${encodeURIComponent(id)}/${action}`, {}, { "X-Owner-Token": ownerToken(id) });

export const isMine = (study) => Boolean(ownerToken(study.id));

export const isActive = (study) => Boolean(study) && (study.state === "queued" || study.state === "running");
