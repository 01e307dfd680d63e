/**
 * The form's spec as text (YAML or JSON) to copy, and back: pasted text or a file fills in the form.
 */

import { visit } from "../../base/address.js";
import { Refusal, sendText } from "../../server/api.js";
import { copyButton, h, show, slot } from "../../base/dom.js";
import { toQuery } from "../../server/spec.js";

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

/** The field for text or a file. The server checks the text; then the form opens again with its values. */
function loading() {
  const field = h("textarea", { class: "spec-field", rows: 4, spellcheck: "false", placeholder: "architecture: resnet-56\n…" });
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const file = h("input", { type: "file", accept: ".yaml,.yml,.json,.txt", hidden: true, "aria-label": "File with a spec" });
  const fill = h("button", { type: "button", class: "button small" }, "Fill in the form");
  const refuse = (words) => {
    problem.textContent = words;
    show(problem, true);
  };

  async function read() {
    show(problem, false);
    fill.disabled = true;
    try {
      const { spec } = await sendText("/api/spec", field.value);
      visit(location.pathname + toQuery(spec));
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
    if (chosen.size > LARGEST) return refuse(`${chosen.name} is larger than 256 KB; a spec is a few lines.`);
    field.value = await chosen.text();
    await read();
  }

  fill.addEventListener("click", read);
  file.addEventListener("change", take);
  const choose = h("button", { type: "button", class: "button small", onclick: () => file.click() }, "From a file…");
  return h(
    "div",
    { class: "spec-load" },
    h("label", {}, "Paste a spec, in YAML or JSON", field),
    h("div", { class: "actions" }, fill, choose, file),
    problem,
  );
}
