/**
 * The questions of the first page: the time that each takes here, and the button that runs it.
 */

import { ask } from "../../server/api.js";
import { h, show, slot } from "../../base/dom.js";
import { range } from "../../base/format.js";
import { repeat } from "../../server/live.js";
import { toQuery } from "../../server/spec.js";
import { leaves } from "../../site/copied.js";
import { launches } from "../../site/launch.js";

export function questions(element) {
  const problem = slot(element, "experiments-problem");
  repeat(async () => {
    const [first, ...rest] = await ask("/api/experiments");
    slot(document, "examples-time").textContent = `${range(first.estimate_s)} here`;
    for (const experiment of rest) card(element, experiment, problem);
    return false;
  });
}

function card(element, experiment, problem) {
  const { name, sentence, runs, estimate_s } = experiment;
  const item = element.querySelector(`[data-experiment="${name}"]`);
  const button = item?.querySelector("button");
  if (!button?.disabled) return; // done already: the task runs again when the page becomes visible again
  slot(item, "takes").textContent = `${range(estimate_s)} here`;
  const link = item.querySelector("a");
  link.href = `/train${toQuery(runs[0])}`;
  leaves(link, `The first of ${runs.length} runs of “${sentence}”`);
  link.append(h("span", { class: "offscreen" }, `: ${sentence}`));
  button.append(h("span", { class: "offscreen" }, `: ${sentence}`));
  button.disabled = false;
  show(problem, false);
  launches(button, problem, experiment);
}
