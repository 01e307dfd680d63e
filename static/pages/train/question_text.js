/**
 * A question as YAML to copy and keep, and back: pasted text or a file fills in the form and the question.
 */

import { copyButton, h, show } from "../../base/dom.js";
import { save } from "../../base/files.js";
import { Refusal } from "../../server/api.js";
import { openInForm, previewQuestion } from "../../server/studies.js";

const LARGEST = 8 * 1024; // the server's limit

/** {element, draw(yaml)} */
export function questionText() {
  let text = "";
  const code = h("code", {});
  const pre = h("pre", { class: "spec-text", tabindex: "0", role: "region", "aria-label": "The question as YAML" }, code);
  const download = h("button", { type: "button", class: "button small" }, "Save as a file");
  download.addEventListener("click", () => save("question.yaml", text, "application/yaml"));
  const element = h(
    "details",
    { class: "cli" },
    h("summary", {}, "The same as YAML, or paste your own"),
    h("div", { class: "spec-head" }, copyButton("Copy", () => text, "button small"), download),
    h("p", { class: "quiet" }, "Without a browser: ", h("code", {}, "python -m core studies run question.yaml")),
    pre,
    reading(),
  );
  return {
    element,
    draw(yaml) {
      text = yaml;
      code.textContent = yaml;
    },
  };
}

/** The field for text or a file. The server checks it; then the page opens again with the question. */
function reading() {
  const field = h("textarea", { class: "spec-field", rows: 4, spellcheck: "false", placeholder: "title: Which rate?\n…" });
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const file = h("input", { type: "file", accept: ".yaml,.yml,.json,.txt", hidden: true, "aria-label": "File with a question" });
  const fill = h("button", { type: "button", class: "button small" }, "Fill in the question");
  const refuse = (words) => {
    problem.textContent = words;
    show(problem, Boolean(words));
  };

  async function read() {
    refuse("");
    fill.disabled = true;
    try {
      openInForm((await previewQuestion(field.value)).question);
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      refuse(refusal.message);
    }
    fill.disabled = false;
  }

  async function take() {
    const [chosen] = file.files;
    file.value = "";
    if (!chosen) return;
    if (chosen.size > LARGEST) return refuse(`${chosen.name} is larger than 8 KB; a question is a few lines.`);
    field.value = await chosen.text();
    await read();
  }

  fill.addEventListener("click", read);
  file.addEventListener("change", take);
  const choose = h("button", { type: "button", class: "button small", onclick: () => file.click() }, "From a file…");
  return h(
    "div",
    { class: "spec-load" },
    h("label", {}, "Paste a question, in YAML or JSON", field),
    h("div", { class: "actions" }, fill, choose, file),
    problem,
  );
}
