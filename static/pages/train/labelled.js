/**
 * A control with its label, a hint and a place for its error, which stands at the control and is read with it.
 */

import { h, show } from "../../base/dom.js";

let count = 0;

/** {element, control, refuse(words)}: `refuse` shows an error, or with "" takes it away. */
export function labelled(label, control, hint = "") {
  const id = `asking-${(count += 1)}`;
  control.id = id;
  const told = h("small", { class: "quiet", id: `${id}-hint`, hidden: !hint }, hint);
  const problem = h("small", { class: "asking-problem", id: `${id}-problem`, hidden: true });
  control.setAttribute("aria-describedby", `${id}-hint ${id}-problem`);
  const element = h("div", { class: "asking-field" }, h("label", { for: id }, label), control, told, problem);
  return {
    element,
    control,
    refuse(words) {
      problem.textContent = words;
      show(problem, Boolean(words));
      control.setAttribute("aria-invalid", String(Boolean(words)));
    },
    hint(words) {
      told.textContent = words;
      show(told, Boolean(words));
    },
  };
}

/** A select with `choices` [[value, title], ...]. */
export const chooser = (choices) => {
  const element = h("select", { class: "select" });
  element.offer = (rows) => {
    const kept = element.value;
    element.replaceChildren(...rows.map(([value, title]) => h("option", { value }, title)));
    if (rows.some(([value]) => value === kept)) element.value = kept;
  };
  element.offer(choices);
  return element;
};

export const input = (attributes = {}) => h("input", { type: "text", class: "search", autocomplete: "off", ...attributes });
