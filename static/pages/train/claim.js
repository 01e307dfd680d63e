/**
 * What a question claims: a kind, the field that it is about, a value of it, and a margin.
 */

import { h, show } from "../../base/dom.js";
import { number, text } from "../../server/spec.js";
import { input, labelled, chooser } from "./labelled.js";

/** By kind: its title, what is tested in words, and what no value means; without `any` it needs one or takes none. */
const KINDS = {
  "": { title: "No claim: only compare", tests: "" },
  beats: { title: "One value beats all others", tests: "The value is above each other one by more than the margin.", value: true },
  "some-beat": { title: "Some other value beats one value", tests: "At least one other value is above the value by more than the margin.", value: true },
  rises: { title: "The result rises with the values", tests: "With each step to the next larger value, by more than the margin." },
  falls: { title: "The result falls with the values", tests: "With each step to the next larger value, by more than the margin." },
  same: { title: "No difference is larger than the margin", tests: "Two values differ by at most the margin; the margin is above 0.", value: true, any: "any two values" },
  zero: { title: "The result itself is close to 0", tests: "It is at most the margin away from 0; the margin is above 0.", value: true, any: "every value" },
};
const PAIRS = "the pairs of the text";

/** `quantities`: [{name, title}]; `rows`: what varies (vary.js); `changed()` is called after each change. */
export function claimFields(quantities, rows, changed) {
  const kind = labelled("Claim", chooser(Object.entries(KINDS).map(([name, { title }]) => [name, title])));
  const field = labelled("About", chooser([]));
  const value = labelled("Value", chooser([]));
  const quantity = labelled("Measured by", chooser(quantities.map(({ name, title }) => [name, title])));
  const margin = labelled("Margin (points)", input({ inputmode: "decimal", value: "0" }));
  const parts = { kind, field, value, margin, quantity };
  let kept = {}; // what an imported claim says beyond the controls
  const words = h("span", {});
  const drop = h("button", { type: "button", class: "button small" }, "Leave it out");
  const rest = h("p", { class: "quiet", hidden: true }, "Also from the text: ", words, " ", drop);
  const element = h(
    "fieldset",
    {},
    h("legend", {}, "Claim to test"),
    h("div", { class: "asking-grid" }, Object.values(parts).map((part) => part.element)),
    rest,
  );

  for (const [name, part] of Object.entries(parts))
    part.control.addEventListener(part.control.tagName === "SELECT" ? "change" : "input", () => {
      keep(["margin", "quantity"].includes(name) ? without(kept, ["says", "here", "by_scale"]) : {});
      if (name === "kind" && KINDS[kind.control.value].any) value.control.value = "";
      changed();
    });
  drop.addEventListener("click", () => {
    keep({});
    changed();
    kind.control.focus();
  });

  function keep(given) {
    kept = given;
    words.textContent = Object.entries(kept).map(([key, said]) => `${key}: ${spoken(said)}`).join("; ");
    show(rest, words.textContent !== "");
  }

  /** Offers the fields and the values that vary now. */
  function update() {
    const wanted = KINDS[kind.control.value];
    field.control.offer(rows.paths.map((path) => [path, rows.titleOf(path)]));
    const values = (rows.value[field.control.value] ?? []).map((one) => [JSON.stringify(one), rows.wordOf(field.control.value, one)]);
    const open = kept.couples ? PAIRS : wanted.any;
    value.control.offer(open ? [["", open], ...values] : values);
    kind.hint(wanted.tests);
    for (const part of [field, quantity, margin]) show(part.element, Boolean(kind.control.value));
    show(value.element, Boolean(wanted.value));
  }

  /** What the controls say. */
  function said() {
    const wanted = kind.control.value;
    const points = number(margin.control.value);
    return {
      kind: wanted,
      field: field.control.value,
      ...(KINDS[wanted].value && value.control.value ? { value: JSON.parse(value.control.value) } : {}),
      ...(quantity.control.value === "top1" ? {} : { quantity: quantity.control.value }),
      ...(points ? { margin: points } : {}),
    };
  }

  return {
    element,
    update,
    get value() {
      return kind.control.value ? { ...said(), ...kept } : null;
    },
    fill(claim) {
      const shown = { kind: "", field: "policy", quantity: "top1", margin: 0, ...claim };
      keep(claim?.couples ? { couples: claim.couples } : {});
      kind.control.value = shown.kind;
      update();
      field.control.value = shown.field;
      update();
      value.control.value = shown.value === undefined ? "" : JSON.stringify(shown.value);
      quantity.control.value = shown.quantity;
      margin.control.value = text(shown.margin);
      if (claim) keep(without(claim, Object.keys(said())));
    },
    /** Shows an error at the control of `part` (`value`, `margin`, ...), or at the kind; "" takes all away. */
    refuse(words, part = "") {
      const at = parts[part === "others" ? "value" : part] ?? kind;
      if (words) return at.refuse(words);
      for (const other of Object.values(parts)) other.refuse("");
    },
  };
}

const without = (fields, keys) => Object.fromEntries(Object.entries(fields).filter(([key]) => !keys.includes(key)));

/** A value of an imported claim in words. */
function spoken(said) {
  if (Array.isArray(said)) return said.map(spoken).join(", ");
  if (said && typeof said === "object") return Object.entries(said).map(([key, one]) => `${key} ${spoken(one)}`).join(", ");
  return typeof said === "number" ? text(said) : String(said);
}
