/**
 * A small form for another name of a run.
 */

import { h } from "../../base/dom.js";
import { doing, renameRun } from "./acts.js";

/** {form, focus}. `done()` is called when the form is finished with, saved or not; `again()` refreshes the page. */
export function renameForm(run, done, again) {
  const label = `New name of ${run.name ?? run.id}`;
  const field = h("input", { class: "search", value: run.name ?? "", maxlength: 64, "aria-label": label });
  const save = h("button", { type: "submit", class: "button small primary" }, "Save");
  const stop = h("button", { type: "button", class: "button small", onclick: done }, "Cancel");
  const form = h("form", { class: "admin-row" }, field, save, stop);
  const focus = () => {
    field.focus(); // not every browser focuses what is selected
    field.select();
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (await doing(save, () => renameRun(run, field.value.trim() || null), again)) done();
    else focus();
  });
  form.addEventListener("keydown", ({ key }) => key === "Escape" && done());
  return { form, focus };
}
