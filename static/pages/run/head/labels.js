/**
 * A run's tags and note, and the form with which its owner changes them and its name.
 */

import { announce, h, say, show } from "../../../base/dom.js";
import { frozen } from "../../../base/place.js";
import { tagList } from "../../../base/tags.js";
import { labelRun, runToken } from "../../../server/api.js";
import { nameOf } from "../../../server/catalog.js";
import { reportOne, reportText } from "../../../site/report.js";

const MAX_NOTE = 1000;

/** `title`: the heading with the run's name. */
export function labels(data, title) {
  const tags = tagList(data.run.tags);
  const note = h("p", { class: "run-note", "data-slot": "note" });
  const edit = h("button", { type: "button", class: "text-button", "aria-expanded": "false" }, "Rename, tag or add a note");
  const place = h("div");
  const path = `/api/runs/${encodeURIComponent(data.run.id)}`;
  const [reportTag, reportNote] = [reportOne("Report a tag", path, "tag"), h("span")];
  let reported = null; // the note that reportNote reports
  const element = h("div", { class: "run-labels" }, h("p", { class: "run-tags" }, tags, edit, reportTag), note, reportNote, place);
  const close = () => {
    place.replaceChildren();
    edit.setAttribute("aria-expanded", "false");
    edit.focus();
  };
  const update = () => {
    const { run } = data;
    tags.update(run.tags);
    show(say(element, "note", run.note ?? ""), Boolean(run.note));
    show(edit, Boolean(runToken(run)));
    const foreign = !frozen && !runToken(run) && !run.example;
    reportTag.update(foreign ? run.tags : []);
    show(reportNote, foreign && Boolean(run.note));
    if (run.note && run.note !== reported) reportNote.replaceChildren(reportText("Report this note", "Note reported", path, { kind: "note", text: run.note }));
    reported = run.note;
    show(element, Boolean(runToken(run) || run.tags.length || run.note));
    if (title.textContent !== nameOf(run)) title.textContent = nameOf(run);
  };
  edit.addEventListener("click", () => {
    if (place.children.length) return close();
    edit.setAttribute("aria-expanded", "true");
    const opened = form(data.run, close, (run) => {
      data.run = { ...data.run, name: run.name, note: run.note, tags: run.tags };
      data.dispatchEvent(new Event("change"));
      announce("Saved.");
    });
    place.replaceChildren(opened);
    const field = opened.querySelector("input");
    field.focus(); // not every browser focuses what is selected
    field.select();
  });
  data.addEventListener("change", update);
  update();
  return element;
}

function form(run, close, saved) {
  const name = h("input", { value: run.name ?? "", maxlength: 64, placeholder: nameOf({ ...run, name: null }) });
  const tags = h("input", { value: run.tags.join(" "), maxlength: 220, placeholder: "depth first-try" });
  const note = h("textarea", { maxlength: MAX_NOTE, rows: 3, placeholder: "What you tried, and what you saw" }, run.note ?? "");
  const save = h("button", { type: "submit", class: "button primary" }, "Save");
  const stop = h("button", { type: "button", class: "button", onclick: close }, "Cancel");
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const field = (words, input, hint) => h("label", {}, h("span", {}, words), input, hint ? h("span", { class: "quiet" }, hint) : null);
  const element = h(
    "form",
    { class: "card label-form", "aria-label": "Name, tags and note" },
    field("Name", name),
    field("Tags", tags, "Words separated by spaces"),
    field("Note", note, "Anyone with the link can read it."),
    problem,
    h("div", { class: "actions" }, save, stop),
  );
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    save.disabled = true;
    show(problem, false);
    try {
      saved(await labelRun(run, { name: name.value.trim() || null, note: note.value.trim() || null, tags: tags.value.split(/[\s,]+/).filter(Boolean) }));
      close();
    } catch (refusal) {
      problem.textContent = refusal.message;
      show(problem, true);
    }
    save.disabled = false;
  });
  element.addEventListener("keydown", ({ key }) => key === "Escape" && close());
  return element;
}
