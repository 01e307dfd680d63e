/**
 * A question as YAML to copy and keep, and back: pasted text or a file fills in the form and the question.
 */

import { copyButton, h } from "../../base/dom.js";
import { save } from "../../base/files.js";
import { openInForm, previewQuestion } from "../../server/studies.js";
import { pasting } from "./pasting.js";

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

/** The server checks the text; then the page opens again with the question. */
const reading = () =>
  pasting({
    what: "a question",
    example: "title: Which rate?\n…",
    fills: "Fill in the question",
    most: LARGEST,
    async read(text) {
      openInForm((await previewQuestion(text)).question);
    },
  });
