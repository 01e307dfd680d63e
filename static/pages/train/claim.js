/**
 * What a question claims: a kind, the field that it is about, a value of it, and a margin.
 */

import { h, show } from "../../base/dom.js";
import { number, text } from "../../server/spec.js";
import { input, labelled, chooser } from "./labelled.js";

const KINDS = [
  ["", "No claim: only compare"],
  ["beats", "One value beats all others"],
  ["rises", "The result rises with the values"],
  ["falls", "The result falls with the values"],
  ["same", "No difference is larger than the margin"],
];
const ANY = "any two values";

/** `quantities`: [{name, title}]; `rows`: what varies (vary.js); `changed()` is called after each change. */
export function claimFields(quantities, rows, changed) {
  const kind = labelled("Claim", chooser(KINDS));
  const field = labelled("About", chooser([]));
  const value = labelled("Value", chooser([]));
  const quantity = labelled("Measured by", chooser(quantities.map(({ name, title }) => [name, title])));
  const margin = labelled("Margin (points)", input({ inputmode: "decimal", value: "0" }));
  const parts = { kind, field, value, margin, quantity };
  const wordings = new Map(); // `says` and further words of an imported claim, which no control shows
  const element = h("fieldset", {}, h("legend", {}, "Claim to test"), h("div", { class: "asking-grid" }, Object.values(parts).map((part) => part.element)));
  for (const part of Object.values(parts))
    part.control.addEventListener(part.control.tagName === "SELECT" ? "change" : "input", () => {
      wordings.clear();
      changed();
    });

  kind.control.addEventListener("change", () => {
    if (kind.control.value === "same") value.control.value = "";
  });

  /** Offers the fields and the values that vary now. */
  function update() {
    const wanted = kind.control.value;
    field.control.offer(rows.paths.map((path) => [path, rows.titleOf(path)]));
    const values = (rows.value[field.control.value] ?? []).map((one) => [JSON.stringify(one), one === null ? "all" : text(one)]);
    value.control.offer(wanted === "same" || !wanted ? [["", ANY], ...values] : values);
    for (const part of [field, quantity, margin]) show(part.element, Boolean(wanted));
    show(value.element, wanted === "beats" || wanted === "same");
  }

  return {
    element,
    update,
    get value() {
      const wanted = kind.control.value;
      if (!wanted) return null;
      const one = ["beats", "same"].includes(wanted) && value.control.value ? { value: JSON.parse(value.control.value) } : {};
      const points = number(margin.control.value);
      return {
        kind: wanted,
        field: field.control.value,
        ...one,
        ...(quantity.control.value === "top1" ? {} : { quantity: quantity.control.value }),
        ...(points ? { margin: points } : {}),
        ...Object.fromEntries(wordings),
      };
    },
    fill(claim) {
      const shown = { kind: "", field: "policy", quantity: "top1", margin: 0, ...claim };
      kind.control.value = shown.kind;
      update();
      field.control.value = shown.field;
      update();
      if (shown.value !== undefined) value.control.value = JSON.stringify(shown.value);
      quantity.control.value = shown.quantity;
      margin.control.value = text(shown.margin);
      wordings.clear();
      for (const key of ["says", "here", "others", "also", "at", "only"]) if (claim?.[key]) wordings.set(key, claim[key]);
    },
    /** Shows an error at the control of `part` (`value`, `margin`, ...), or at the kind; "" takes all away. */
    refuse(words, part = "") {
      const at = parts[part === "others" ? "value" : part] ?? kind;
      if (words) return at.refuse(words);
      for (const other of Object.values(parts)) other.refuse("");
    },
  };
}
