/**
 * Requests about the webhooks of runs and studies, given as {kind: "run" or "study", id, token}; `token` is the owner's.
 */

import { Refusal, ask, send } from "./api.js";

const KINDS = { run: "runs", study: "studies" };

const path = ({ kind, id }) => `/api/${KINDS[kind]}/${encodeURIComponent(id)}/webhook`;
const owned = ({ token }) => ({ "X-Owner-Token": token });

/** The webhook; null: it has none. */
export const webhookOf = (about) => ask(path(about), undefined, owned(about));

/** Has the message to it sent again. Returns the webhook. */
export const sendWebhook = (about) => ask(`${path(about)}/send`, {}, owned(about));

/** Forgets its address. */
export const removeWebhook = (about) => send("DELETE", path(about), undefined, owned(about));

/** What a reader typed for an address, as a header can hold it; "" if nothing. Throws Refusal. */
export function asAddress(typed) {
  if (!typed.trim()) return "";
  try {
    return new URL(typed.trim()).href;
  } catch {
    throw new Refusal("The webhook is not a valid address. It must begin with https:// and a host name.", 422);
  }
}
