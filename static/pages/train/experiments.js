/**
 * The experiments that the Train page offers as sentences: the time that each takes here, and the button that runs it.
 */

import { ask } from "../../server/api.js";
import { h, show, slot } from "../../base/dom.js";
import { roughly } from "../../base/format.js";
import { repeat } from "../../server/live.js";
import { toQuery } from "../../server/spec.js";
import { together } from "./launch.js";

export function mount(element) {
  const problem = slot(element, "experiments-problem");
  repeat(async () => {
    const [first, ...rest] = await ask("/api/experiments");
    const time = slot(document, "examples-time");
    if (time) time.textContent = `${roughly(first.estimate_s)} here`;
    for (const experiment of rest) card(element, experiment, problem);
    return false;
  });
}

function card(element, { name, sentence, runs, estimate_s }, problem) {
  const item = element.querySelector(`[data-experiment="${name}"]`);
  const button = item?.querySelector("button");
  if (!button?.disabled) return; // done already: the task runs again when the page becomes visible again
  slot(item, "takes").textContent = `${roughly(estimate_s)} here`;
  const link = item.querySelector("a");
  link.href = `/${toQuery(runs[0])}`;
  link.append(h("span", { class: "offscreen" }, `: ${sentence}`));
  button.append(h("span", { class: "offscreen" }, `: ${sentence}`));
  button.disabled = false;
  show(problem, false);
  together(button, problem, runs);
}
