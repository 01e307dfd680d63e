/**
 * What the owner of a run or of a study sees of its webhook: who is told of the end, how that went, and how to have it
 * sent again.
 */

import { announce, copyButton, h, say, show, slot } from "../base/dom.js";
import { time } from "../base/format.js";
import { toast } from "../base/toast.js";
import { ownerToken } from "../server/api.js";
import { repeat } from "../server/live.js";
import { isActive } from "../server/studies.js";
import { removeWebhook, sendWebhook, webhookOf } from "../server/webhooks.js";

const EVERY_MS = 2000;
const SELDOM_MS = 15_000;

/**
 * `about()`: the run or study as {kind: "run" or "study", id, token, over}, or null; `token` is its owner's, null in
 * other browsers, where nothing is asked. Call `update()` after it may have changed.
 */
export function webhookLine(about) {
  let now = null;
  const again = h("button", { type: "button", class: "text-button" }, "Send again");
  const away = h("button", { type: "button", class: "text-button" }, "Remove the webhook");
  const secret = copyButton("Copy its secret", () => now.secret, "text-button");
  secret.title = "The receiver uses it to check that a message comes from this server.";
  const element = h(
    "p",
    { class: "webhook-line screen-only", hidden: true },
    h("span", { "data-slot": "webhook", role: "status" }),
    again,
    secret,
    away,
  );

  const draw = () => {
    show(element, now !== null);
    if (!now) return;
    say(element, "webhook", words(now, about().kind));
    slot(element, "webhook").className = now.state === "failed" || now.state === "retrying" ? "problem" : "quiet";
    show(again, ["retrying", "delivered", "failed"].includes(now.state) && now.again_left > 0);
  };
  const look = async () => {
    const asked = about();
    const found = asked?.token ? await webhookOf(asked) : null;
    if (asked?.id !== about()?.id) return true; // the reader has gone on to another one
    now = found;
    draw();
    if (!now || !asked.over) return false;
    return { waiting: EVERY_MS, sending: EVERY_MS, retrying: SELDOM_MS }[now.state] ?? false;
  };
  const task = repeat(look, EVERY_MS);
  const stand = () => JSON.stringify(about());
  let stood = stand();
  element.update = () => {
    if (stood === stand()) return;
    stood = stand();
    task.wake();
  };
  const act = (button, work, done) =>
    button.addEventListener("click", async () => {
      try {
        now = await work(about());
        announce(done);
        draw();
        task.wake();
      } catch (refusal) {
        toast(refusal.message, { wrong: true });
      }
    });
  act(again, sendWebhook, "The message is being sent again.");
  act(away, removeWebhook, "The webhook was removed.");
  return element;
}

/** The same for a study; `study()`: as the server describes it, or null. */
export const studyWebhook = (study) =>
  webhookLine(() => {
    const now = study();
    return now && { kind: "study", id: now.id, token: ownerToken(now.id), over: !isActive(now) };
  });

/** How the webhook fares, in a sentence. */
function words({ state, host, attempts, next_at, delivered_at, problem }, kind) {
  const tries = `${attempts} ${attempts === 1 ? "attempt" : "attempts"}`;
  switch (state) {
    case "waiting":
      return `The webhook at ${host} will be notified when the ${kind} has ended.`;
    case "sending":
      return `The webhook at ${host} is being notified.`;
    case "delivered":
      return `The webhook at ${host} was notified at ${time(delivered_at)}.`;
    case "retrying":
      return `The webhook at ${problem}: ${tries}; next at ${time(next_at)}.`;
    default:
      return `The webhook at ${problem}: ${tries}, and no more will follow.`;
  }
}
