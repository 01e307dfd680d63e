/**
 * The admin token of this tab, and requests with it. The token is in no address and in no other tab.
 */

import { ask } from "./api.js";
import { tab } from "../base/storage.js";

const KEPT = "onlybn.admin";
const SENDABLE = /^[\x20-\x7e]+$/; // what a header can carry
const WRONG = "This is not the admin token of this server.";

let token = tab.get(KEPT);

export const isAdmin = () => Boolean(token);

/** Keeps the token for this tab; null forgets it. Dispatches "onlybn:admin" on the document. */
function keep(now) {
  token = now;
  tab.set(KEPT, now);
  document.dispatchEvent(new Event("onlybn:admin"));
}

export const signOut = () => keep(null);

/** Sends a request as admin, a POST if there is a body. Throws Refusal; one with the status 403 also signs out. */
export async function askAsAdmin(path, body) {
  try {
    return await ask(path, body, { "X-Admin-Token": token ?? "" });
  } catch (refusal) {
    if (refusal.status === 403 && token) signOut();
    throw refusal;
  }
}

/** Tries `given` and keeps it if the server takes it. Returns why it does not; "" if it does. */
export async function signIn(given) {
  if (!given) return "Type the token first.";
  if (!SENDABLE.test(given)) return WRONG;
  try {
    await ask("/api/admin", undefined, { "X-Admin-Token": given });
  } catch (refusal) {
    return refusal.status === 403 && !refusal.message.includes("has no ONLYBN_ADMIN_TOKEN") ? WRONG : refusal.message;
  }
  keep(given);
  return "";
}
