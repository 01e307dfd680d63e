/**
 * The form's spec as text (YAML or JSON) to copy, and back: pasted text or a file fills in the form.
 */

import { visit } from "../../base/address.js";
import { sendText } from "../../server/api.js";
import { copyButton, h, slot } from "../../base/dom.js";
import { toQuery } from "../../server/spec.js";
import { pasting } from "./pasting.js";

const LARGEST = 256 * 1024; // the server's limit

export function mount(element) {
  const texts = { YAML: "", JSON: "" };
  let format = "YAML";
  const code = h("code", {});
  const box = h("pre", { class: "spec-text", tabindex: "0", role: "region", "aria-label": "The spec as text" }, code);
  const draw = () => (code.textContent = texts[format]);
  document.addEventListener("onlybn:preview", ({ detail }) => {
    Object.assign(texts, { YAML: detail.yaml, JSON: JSON.stringify(detail.spec, null, 2) });
    draw();
  });
  const choose = (name) => {
    format = name;
    for (const button of switches.children) button.setAttribute("aria-pressed", String(button.textContent === name));
    draw();
  };
  const switches = h(
    "div",
    { class: "segments", role: "group", "aria-label": "Format" },
    Object.keys(texts).map((name) => h("button", { type: "button", onclick: () => choose(name) }, name)),
  );
  choose(format);
  slot(element, "spec-text").append(
    h("div", { class: "spec-head" }, switches, copyButton("Copy", () => texts[format], "button small")),
    box,
    loading(),
  );
}

/** The server checks the text; then the form opens again with its values. */
const loading = () =>
  pasting({
    what: "a spec",
    example: "architecture: resnet-56\n…",
    fills: "Fill in the form",
    most: LARGEST,
    async read(text) {
      const { spec } = await sendText("/api/spec", text);
      visit(location.pathname + toQuery(spec));
    },
  });
