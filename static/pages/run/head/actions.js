/**
 * The buttons of a run. They show their effect at once; if the server refuses, they undo it and say why.
 */

import { guard } from "../../../server/allowance.js";
import { cancel, disown, launchRun, resume, runToken } from "../../../server/api.js";
import { isOver, nameOf } from "../../../server/catalog.js";
import { copyButton, h, show } from "../../../base/dom.js";
import { whole } from "../../../base/format.js";
import { frozen } from "../../../base/place.js";
import { leaves } from "../../../site/copied.js";
import { shareButton } from "../../../site/share.js";
import { cloneQuery } from "../../../server/spec.js";
import { toHash } from "../../../server/tab.js";
import { toast } from "../../../base/toast.js";
import { downloads } from "./downloads.js";
import { extend } from "./extend.js";
import { pinButton } from "./pin.js";
import { removeButton } from "../../../site/removal.js";

const HANDED_OVER = 409;
const TAB_IMAGES = ["digits", "fashion-mnist"];

/** `preview`: promise of the response of /api/preview to the run's spec, or of null. */
export function actions(data, feed, preview) {
  const { run } = data;
  return h(
    "div",
    { class: "actions run-actions" },
    stopButton(data, feed),
    resumeButton(data),
    retryButton(data),
    ...(frozen ? [] : [cloneLink(run), surgeryLink(data)]),
    shareButton("Share", "button", () => shared(data.run)),
    frozen ? null : extend(data),
    downloads(data),
    more(...(frozen ? [] : [startLink(data)]), inTab(run), pinButton(data), commandButton(preview), removeButton(data)),
  );
}

/** The network that the dialog shares; a run that has none shares its page only. */
function shared(run) {
  if (run.state !== "finished" || run.lost) return null;
  if (!frozen) return { run, edits: [] };
  return run.missing.includes("capsule") ? null : { capsule: () => capsuleBytes(run) };
}

/** Of a run in a frozen site. */
async function capsuleBytes(run) {
  const { fileBytes } = await import("../../../server/frozen/files.js"); // no live page needs it
  return new Uint8Array(await fileBytes(`/api/runs/${run.id}/capsule`));
}

/** What few need, in a menu. */
function more(...actions) {
  return h("details", { class: "menu" }, h("summary", { class: "button", "aria-label": "More actions" }, "More"), h("div", {}, actions));
}

/** A button that shows `busy` while `act()` is under way, and a message if it fails. */
function acting(words, busy, act, style = "button") {
  const button = h("button", { type: "button", class: style, hidden: true }, words);
  button.addEventListener("click", async () => {
    button.disabled = true;
    button.textContent = busy;
    try {
      await act();
    } catch (refusal) {
      toast(refusal.message, { wrong: true });
    }
    button.disabled = false;
    button.textContent = words;
  });
  return button;
}

const refuse = (why) => toast(why, { wrong: true });

function stopButton(data, feed) {
  const act = async () => {
    const pretend = (fields, cancel_requested) => {
      data.pretended = fields; // the feed may answer before this request has reached the server
      data.run = { ...data.run, cancel_requested };
      data.dispatchEvent(new Event("change"));
    };
    pretend({ cancel_requested: true }, true);
    try {
      await cancel(data.run);
    } catch (refusal) {
      if (refusal.status === HANDED_OVER) disown(data.run); // it goes on as a run of somebody else's study
      pretend({}, false);
      throw refusal;
    }
    data.pretended = {};
    feed.wake();
  };
  const button = acting("Cancel", "Cancelling…", act, "button danger");
  button.dataset.does = "cancel";
  data.addEventListener("change", () => show(button, !isOver(data.run) && Boolean(runToken(data.run))));
  return button;
}

function resumeButton(data) {
  const act = async () => {
    await resume(data.run);
    location.reload(); // the curves of the new attempt continue those shown here
  };
  const button = acting("Resume", "Queueing…", act);
  data.addEventListener("change", () => {
    const { state, error, checkpoint_step, browser } = data.run;
    const saved = checkpoint_step !== null;
    const hopeless = ["diverged", "unverified"].includes(error?.kind);
    const hopeful = state === "cancelled" || (state === "failed" && !hopeless && (saved || browser));
    show(button, hopeful && Boolean(runToken(data.run)));
    button.title = saved
      ? `Continues this run from its checkpoint at step ${whole(checkpoint_step)}, if the worker that takes it has the file.`
      : "Puts this run back in its place in the queue.";
  });
  guard(button, 1, refuse);
  return button;
}

function retryButton(data) {
  const act = async () => {
    const launched = await launchRun(data.run.spec);
    location.assign(launched.url);
  };
  const button = acting("Retry", "Launching…", act);
  button.title = "Launches the same spec from the start, as a new run of yours.";
  guard(button, 1, refuse);
  data.addEventListener("change", () => show(button, ["failed", "cancelled"].includes(data.run.state)));
  return button;
}

/** The way to train the same spec in the browser; null where a tab surely cannot (engine/spec.js knows exactly). */
const inTab = ({ spec }) =>
  TAB_IMAGES.includes(spec.dataset) && !spec.start ? h("a", { href: `/tab${toHash(spec)}` }, "Train it in this tab") : null;

const cloneLink = (run) =>
  leaves(h("a", { class: "button primary", href: `/train${cloneQuery(run)}` }, "Change and run again"), copiedWords(run));

function startLink(data) {
  const { run } = data;
  const href = `/train${cloneQuery(run, { start: run.id })}`;
  const link = leaves(h("a", { href, hidden: true }, "Start from this run"), `Copied from “${nameOf(run)}”, whose trained network is the start.`);
  data.addEventListener("change", () => show(link, data.run.state === "finished" && !data.run.lost));
  return link;
}

function surgeryLink(data) {
  const link = h("a", { class: "button", href: `/surgery?run=${data.run.id}`, hidden: true }, "Surgery");
  link.title = "Switch features off and see what still works";
  data.addEventListener("change", () => show(link, data.run.state === "finished" && data.run.spec.norm.affine && !data.run.lost));
  return link;
}

/** A button that copies the run's command line, once the server has sent it. */
function commandButton(preview) {
  let command = "";
  const button = copyButton("Copy command", () => command, null);
  button.disabled = true;
  preview.then((answer) => {
    command = answer?.cli ?? "";
    button.disabled = !command;
    button.title = command ? "" : "Could not load the command; reload the page to try again.";
  });
  return button;
}

/** What the form says of where it comes from. Only which files the images were is no field of it: a run takes what is here. */
const copiedWords = (run) =>
  `Copied from “${nameOf(run)}”${run.spec.contents || run.spec.copy_of_data ? ", with the images that are on this server now." : "."}`;
