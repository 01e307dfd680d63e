/**
 * A button that starts an evaluation, with its progress or its error beside it.
 */

import { ask, Refusal } from "../server/api.js";
import { announce, h, show } from "../base/dom.js";
import { raised, sentence } from "../base/format.js";
import { evaluate, progressWords } from "../server/evaluation.js";

/**
 * `label`: the button's text; `request()`: the body of the request; `done(evaluation)` gets the result; `shown(error)`
 * says whether it has shown an error elsewhere. Returns {element, button, start}; a new start replaces an evaluation that
 * is under way.
 */
export function job(run, label, request, done, shown = () => false) {
  const button = h("button", { type: "button", class: "button primary" }, label);
  const words = h("p", { class: "quiet", role: "status" });
  const fill = h("progress", { max: 1, value: 0, "aria-label": "Progress of the evaluation", hidden: true });
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const stop = h("button", { type: "button", class: "button small", hidden: true, onclick: end }, "Cancel");
  let [current, asked] = [null, null];

  /** Cancels the evaluation that is under way; its error then says so. */
  function end() {
    stop.disabled = true;
    ask(`/api/evaluations/${asked}/cancel`, {}).catch((error) => tellProblem(error));
  }

  function tellProblem(error) {
    problem.textContent = error instanceof Refusal || error.message ? sentence(raised(error.message)) : "Something went wrong.";
    show(problem, true);
  }

  async function start() {
    current?.abort();
    const mine = (current = new AbortController());
    show(problem, false);
    show(fill, true);
    fill.removeAttribute("value");
    button.setAttribute("aria-busy", "true");
    words.textContent = "Sending…";
    const tell = (evaluation) => {
      if (mine.signal.aborted) return;
      asked = evaluation.id;
      show(stop, true);
      const said = progressWords(evaluation);
      if (words.textContent !== said) words.textContent = said;
      if (evaluation.share) fill.value = evaluation.share;
    };
    try {
      const evaluation = await evaluate(run.id, request(), tell, mine.signal);
      if (mine.signal.aborted) return;
      done(evaluation);
      announce("The evaluation is finished.");
    } catch (error) {
      if (mine.signal.aborted) return;
      if (!shown(error)) tellProblem(error);
    }
    words.textContent = "";
    for (const part of [fill, stop]) show(part, false);
    stop.disabled = false;
    button.removeAttribute("aria-busy");
    current = null;
  }

  button.addEventListener("click", start);
  return { element: h("div", { class: "job" }, h("div", { class: "job-line" }, button, fill, words, stop), problem), button, start };
}
