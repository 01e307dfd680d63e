/**
 * The field for text in YAML or JSON, typed, pasted or from a file.
 */

import { h, show } from "../../base/dom.js";
import { Refusal } from "../../server/api.js";

/**
 * `what`: what the text describes, with its article ("a spec"); `fills`: the button's words; `most`: bytes that the
 * server takes; `read(text)` uses the text, and throws Refusal if the server refuses it.
 */
export function pasting({ what, example, fills, most, read }) {
  const field = h("textarea", { class: "spec-field", rows: 4, spellcheck: "false", placeholder: example });
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const file = h("input", { type: "file", accept: ".yaml,.yml,.json,.txt", hidden: true, "aria-label": `File with ${what}` });
  const fill = h("button", { type: "button", class: "button small" }, fills);
  const refuse = (words) => {
    problem.textContent = words;
    show(problem, Boolean(words));
  };

  async function use() {
    refuse("");
    fill.disabled = true;
    try {
      await read(field.value);
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      refuse(refusal.message);
    } finally {
      fill.disabled = false;
    }
  }

  async function take() {
    const [chosen] = file.files;
    file.value = "";
    if (!chosen) return;
    if (chosen.size > most) return refuse(`${chosen.name} is larger than ${most / 1024} KB; ${what} is a few lines.`);
    field.value = await chosen.text();
    await use();
  }

  fill.addEventListener("click", use);
  file.addEventListener("change", take);
  const choose = h("button", { type: "button", class: "button small", onclick: () => file.click() }, "From a file…");
  return h(
    "div",
    { class: "spec-load" },
    h("label", {}, `Paste ${what}, in YAML or JSON`, field),
    h("div", { class: "actions" }, fill, choose, file),
    problem,
  );
}
