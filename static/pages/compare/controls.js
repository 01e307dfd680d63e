/**
 * The controls of the curves: quantity, grouping, axis, smoothing.
 */

import { h } from "../../base/dom.js";
import { differing, FIELDS } from "./fields.js";
import { AXES, METRICS } from "./groups.js";
import { BANDS } from "../../charts/statistics.js";

const USUALLY = ["architecture", "policy", "dataset", "epochs"];

/** Calls `change(patch)` with the reader's settings; `update(runs, view)` offers the fields in which runs differ. */
export function controls(change) {
  const metric = segments("What the curves show", METRICS, (key) => change({ metric: key }));
  const axis = select("Over", AXES, (key) => change({ x: key }));
  const band = select("Band", BANDS, (key) => change({ band: key }));
  const group = h("span", { class: "compare-group" });
  const singles = h("input", { type: "checkbox" });
  singles.addEventListener("change", () => change({ singles: singles.checked }));
  const smooth = h("input", { type: "range", min: 0, max: 0.99, step: 0.01 });
  const amount = h("output", { class: "quiet" });
  smooth.addEventListener("input", () => change({ smooth: Number(smooth.value) }));
  const element = h(
    "div",
    { class: "compare-controls" },
    metric.element,
    h(
      "div",
      { class: "compare-fields" },
      group,
      axis.element,
      band.element,
      h("label", { class: "compare-field" }, h("span", {}, "Smoothing"), h("span", { class: "compare-smooth" }, smooth, amount)),
      h("label", { class: "compare-tick" }, singles, "Single runs"),
    ),
  );

  let offered = "";
  function update(runs, view) {
    metric.set(view.metric);
    axis.set(view.x);
    band.set(view.band);
    singles.checked = view.singles;
    smooth.value = view.smooth;
    smooth.setAttribute("aria-valuetext", view.smooth ? `smoothed ${view.smooth}` : "not smoothed");
    amount.textContent = view.smooth ? view.smooth.toFixed(2) : "off";
    const fields = offeredFields(runs, view.group);
    const now = JSON.stringify([view.group, fields.map(({ key }) => key)]);
    if (now === offered) return;
    offered = now;
    const focused = [...group.querySelectorAll("select")].indexOf(document.activeElement);
    group.replaceChildren(...groupSelects(view.group, fields, change));
    if (focused >= 0) [...group.querySelectorAll("select")].at(focused)?.focus();
  }
  return { element, update };
}

/** The fields in which these runs differ, the usual ones, and the chosen ones. */
function offeredFields(runs, chosen) {
  const keys = new Set([...USUALLY, ...differing(runs).map(({ key }) => key), ...chosen]);
  return FIELDS.filter(({ key }) => keys.has(key));
}

function groupSelects(chosen, fields, change) {
  const whole = ["setting", "run"].includes(chosen[0]);
  const titles = Object.fromEntries(fields.map(({ key, title }) => [key, { title }]));
  const first = select(
    "Group by",
    { setting: { title: "Setting: replicates together" }, run: { title: "Nothing: each run separately" }, ...titles },
    (key) => change({ group: ["setting", "run"].includes(key) ? [key] : [key, ...(whole ? [] : chosen.slice(1).filter((other) => other !== key))] }),
  );
  first.set(chosen[0]);
  if (whole) return [first.element];
  const others = chosen.slice(1).map((key, at) => {
    const next = select("and", { "": { title: "nothing else" }, ...without(titles, chosen.filter((other) => other !== key)) }, (now) =>
      change({ group: [...chosen.slice(0, at + 1), ...(now ? [now] : []), ...chosen.slice(at + 2)] }),
    );
    next.set(key);
    return next.element;
  });
  const rest = without(titles, chosen);
  const add = select("and", { "": { title: "nothing else" }, ...rest }, (key) => key && change({ group: [...chosen, key] }));
  return [first.element, ...others, ...(Object.keys(rest).length ? [add.element] : [])];
}

const without = (entries, keys) => Object.fromEntries(Object.entries(entries).filter(([key]) => !keys.includes(key)));

let made = 0;

/** A labelled select of {key: {title}}. */
export function select(label, entries, changed) {
  const id = `compare-field-${(made += 1)}`;
  const box = h("select", { class: "select", id }, Object.entries(entries).map(([value, { title }]) => h("option", { value }, title)));
  box.addEventListener("change", () => changed(box.value));
  return {
    element: h("div", { class: "compare-field" }, h("label", { for: id }, label), box),
    set(value) {
      if (box.value !== value) box.value = value;
    },
  };
}

function segments(label, entries, changed) {
  const buttons = Object.entries(entries).map(([key, { title }]) => {
    const button = h("button", { type: "button" }, title);
    button.addEventListener("click", () => changed(key));
    return [key, button];
  });
  return {
    element: h("div", { class: "segments", role: "group", "aria-label": label }, buttons.map(([, button]) => button)),
    set(value) {
      for (const [key, button] of buttons) button.setAttribute("aria-pressed", String(key === value));
    },
  };
}
