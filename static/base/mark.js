/**
 * The marks of runs that no worker of this server trained: examples, which came with the project, and runs that a browser
 * trained.
 */

import { h } from "./dom.js";
import { day, percent, whole } from "./format.js";

const TITLE = "Shipped example";

/** The mark in lists; null for a run that was trained here. */
export function runMark(run) {
  if (run.example) return h("span", { class: "badge example-mark", title: whence(run) }, TITLE);
  if (!run.browser) return null;
  const words = run.state === "finished" ? "Browser, verified" : "Browser, unverified";
  return h("span", { class: "badge example-mark", title: `${browserTitle(run)}. ${measuredTwice(run)}` }, words);
}

/** The mark with all details, for the run's own page. */
export const exampleNote = (run) => (run.example ? h("p", { class: "example-note" }, `${TITLE}, ${whence(run)}`) : null);

/** The same of a run that a browser trained, which `update(run)` brings up to date; null of any other run. */
export function browserNote(run) {
  if (!run.browser) return null;
  const [title, numbers] = [h("span", { class: "example-note" }), h("span", { class: "quiet" })];
  const element = h("p", { class: "browser-note" }, title, numbers);
  element.update = (now) => {
    title.textContent = browserTitle(now);
    numbers.textContent = measuredTwice(now);
  };
  element.update(run);
  return element;
}

const whence = ({ example, finished_at }) => `trained on ${day(finished_at)} on ${example.machine}`;

function browserTitle({ state }) {
  const how = { finished: "verified here", queued: "to be verified here", running: "being verified here" }[state];
  return `Trained in a browser, ${how ?? "not verified here"}`;
}

/** What the browser said and what the test here found. */
function measuredTwice({ browser }) {
  const { top1, correct, images, found, differ } = browser;
  const said = `Correct test images: ${whole(correct)} of ${whole(images)} (${percent(top1)}) in the browser`;
  if (found === null) return `${said}.`;
  const far = differ ? `a difference of ${whole(differ)} ${differ === 1 ? "image" : "images"}` : "no difference";
  return `${said}, ${whole(found)} (${percent(found / images)}) here: ${far}.`;
}
