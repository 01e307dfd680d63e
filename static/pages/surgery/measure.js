/**
 * The list of edits so far, and the accuracy of the trained and the edited network, measured on the same images.
 */

import { hasTop5 } from "../../server/catalog.js";
import { copyButton, h, show } from "../../base/dom.js";
import { decimal, NONE, percent, whole } from "../../base/format.js";
import { toRequest, words } from "./edits.js";
import { job } from "../../site/job.js";

/**
 * `parameters`: the response of /api/runs/{id}/parameters; `found`: the run's findings or null.
 * @param {import("./operation.js").Operation} operation
 */
export function measure(operation, run, parameters, found) {
  const summary = h("p", { "data-slot": "summary" });
  const list = h("ol", { class: "edit-list" });
  const result = h("div", { class: "result", hidden: true, "data-slot": "result" });
  let shown = null;

  const work = job(
    run,
    "Evaluate",
    () => ({ edits: toRequest(operation.state) }),
    (evaluation) => {
      shown = evaluation;
      result.replaceChildren(...report(evaluation, run, parameters, found));
      show(result, true);
      update();
    },
  );
  const undo = button("Undo", () => operation.undo());
  work.button.dataset.does = "evaluate";
  undo.dataset.does = "undo";
  const redo = button("Redo", () => operation.redo());
  const reset = button("Reset everything", () => operation.resetAll());

  function update() {
    const { state, totals, layers } = operation;
    summary.textContent = sentence(totals);
    list.replaceChildren(...items(operation));
    show(list, state.eps > 0 || state.edits.length > 0);
    undo.disabled = !operation.canUndo;
    redo.disabled = !operation.canRedo;
    reset.disabled = !state.eps && !state.edits.length;
    const stale = shown && JSON.stringify(plain(shown.request.edits)) !== JSON.stringify(plain(toRequest(state)));
    result.classList.toggle("stale", Boolean(stale));
    work.button.textContent = layers.length && !state.eps && !state.edits.length ? "Measure the original" : "Evaluate";
  }

  operation.addEventListener("change", update);
  update();
  return h(
    "section",
    { class: "card measure", "aria-labelledby": "measure-title" },
    h("h2", { id: "measure-title" }, "Accuracy after edits"),
    summary,
    list,
    h(
      "div",
      { class: "actions" },
      undo,
      redo,
      reset,
      copyButton("Copy edits as JSON", () => JSON.stringify({ edits: toRequest(operation.state) }, null, 2), "button small"),
    ),
    work.element,
    result,
  );
}

const button = (label, onclick) => h("button", { type: "button", class: "button small", onclick }, label);

function sentence({ off, changed, all }) {
  if (!changed && !off) return "No edits yet: this is the network as trained.";
  return `${whole(off)} of ${whole(all)} features (${percent(off / all)}) are off; ${whole(changed)} γ edited.`;
}

function items(operation) {
  const { eps, edits } = operation.state;
  const first = eps
    ? [h("li", {}, h("span", {}, `All layers: set to 0 where |γ| < ${eps}`), drop("the threshold", () => operation.setThreshold(0)))]
    : [];
  return [
    ...first,
    ...edits.map((edit, index) => h("li", {}, h("span", {}, words(edit)), drop(words(edit), () => operation.remove(index)))),
  ];
}

const drop = (what, onclick) =>
  h("button", { type: "button", class: "icon-button", "aria-label": `Remove edit: ${what}`, title: "Remove edit", onclick }, "×");

/** Edits without empty fields, to compare the edits of a past request with the present ones. */
const plain = (edits) =>
  edits.map((edit) => Object.fromEntries(Object.entries(edit).filter(([, value]) => value !== null && value !== undefined)).valueOf()).map(sorted);
const sorted = (edit) => Object.fromEntries(Object.entries(edit).sort(([a], [b]) => (a < b ? -1 : 1)));

function report({ result, request }, run, parameters, found) {
  const { unedited, edited } = result;
  const rows = [
    ["Test accuracy", "top1", (value) => percent(value, 2), (change) => `${sign(change)}${Math.abs(change * 100).toFixed(2)} points`],
    hasTop5(run.spec) ? ["Top-5", "top5", (value) => percent(value, 2), (change) => `${sign(change)}${Math.abs(change * 100).toFixed(2)} points`] : null,
    ["Test loss", "loss", (value) => decimal(value), (change) => `${sign(change)}${Math.abs(change).toFixed(4)}`],
  ].filter(Boolean);
  const heads = ["", "As trained", "Edited", "Difference"].map((title) => h("th", { scope: "col" }, title || h("span", { class: "offscreen" }, "Quantity")));
  const table = h(
    "table",
    { class: "table result-table" },
    h("caption", { class: "offscreen" }, "The network as trained and as edited"),
    h("thead", {}, h("tr", {}, heads)),
    h(
      "tbody",
      {},
      rows.map(([title, key, text, change]) =>
        h(
          "tr",
          {},
          h("th", { scope: "row" }, title),
          h("td", {}, text(unedited[key])),
          h("td", { "data-slot": `edited-${key}` }, text(edited[key])),
          h("td", {}, edited[key] === null || unedited[key] === null ? NONE : change(edited[key] - unedited[key])),
        ),
      ),
    ),
  );
  return [
    h("p", { class: "stale-note note" }, "These numbers are for different edits. Evaluate again."),
    table,
    ...notes(result, request, run, parameters, found).map((text) => h("p", { class: "quiet" }, text)),
  ];
}

const sign = (change) => (change > 0 ? "+" : change < 0 ? "−" : "±");

function notes(result, request, run, parameters, found) {
  const { images, test_images, device, threads, engine, seconds, elsewhere } = result;
  const on = images === test_images ? `all ${whole(images)} test images` : `${whole(images)} of ${whole(test_images)} test images, evenly spread`;
  const told = [
    `${whole(result.off)} γ set to 0. Both networks were measured on ${on}: ${device}, ${threads} ${threads === 1 ? "thread" : "threads"}, ${engine}; ${seconds.toFixed(1)} s.`,
  ];
  const why = elsewhere ? `, and may differ in the last digits: ${elsewhere}` : "";
  if (images === test_images && run.result) told.push(agreement("The accuracy at the end of training", run.result.top1, result.unedited.top1, why));
  const [only, more] = request.edits;
  const row = found?.ablation.find(({ epsilon }) => only && !more && only.action === "zero" && !only.layer && epsilon === only.below);
  if (row && found.test_examples === images) told.push(agreement(`The stored ablation at ε = ${row.epsilon}`, row.top1, result.edited.top1, why));
  if (found && found.test_examples !== images)
    told.push(`The stored ablation used ${whole(found.test_examples)} images, so the two may differ.`);
  return told;
}

const agreement = (what, stored, measured, why) =>
  stored === measured ? `${what} is exactly the same.` : `${what} was ${percent(stored, 2)}${why}.`;
