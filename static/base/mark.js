/**
 * The mark of an example run, which came with the project, so that nobody takes it for a run of this server.
 */

import { h } from "./dom.js";
import { day } from "./format.js";

const TITLE = "Shipped example";

/** The mark in lists; null for a run that was trained here. */
export const exampleMark = (run) =>
  run.example ? h("span", { class: "badge example-mark", title: whence(run) }, TITLE) : null;

/** The mark with all details, for the run's own page. */
export const exampleNote = (run) => (run.example ? h("p", { class: "example-note" }, `${TITLE}, ${whence(run)}`) : null);

const whence = ({ example, finished_at }) => `trained on ${day(finished_at)} on ${example.machine}`;
