/**
 * The card that flips γ and β: what the network answers with those of each task, and its feature maps with the chosen
 * ones.
 */

import { h } from "../../base/dom.js";
import { percent } from "../../base/format.js";
import { featureMaps } from "../../charts/maps.js";
import { choice } from "./picture.js";

const SHOWN = 10;

/** @param {import("./view.js").TasksView} view  `parameters`: of each task's run */
export function flipCard(view, parameters, status) {
  const switches = h("div", { class: "segments tasks-switch", role: "group", "aria-label": "γ and β of" });
  view.tasks.forEach(({ title }, place) => {
    switches.append(h("button", { type: "button", onclick: () => view.change({ gamma: place }) }, title));
  });
  switches.addEventListener("keydown", (event) => {
    const at = [...switches.children].indexOf(event.target);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: switches.children.length - 1 }[event.key];
    if (at < 0 || !switches.children[to]) return;
    event.preventDefault();
    switches.children[to].focus();
    view.change({ gamma: to });
  });
  const layer = choice("Feature maps of", view.layers.map(({ name }) => name), (place) => view.change({ layer: view.layers[place].name }));
  const answers = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Predictions" });
  const maps = h("div", { class: "tasks-maps" });
  const element = h(
    "section",
    { class: "card tasks-flip", "aria-labelledby": "tasks-flip-title" },
    h("h2", { id: "tasks-flip-title" }, "Flip the γ and β"),
    h("p", { class: "quiet" }, "The random weights stay. Only γ, β and the running statistics in them are those of another task."),
    switches,
    status,
    h("h3", {}, "Prediction"),
    answers,
    layer.element,
    maps,
  );

  function update() {
    for (const [place, button] of [...switches.children].entries()) button.setAttribute("aria-pressed", String(place === view.gamma));
    layer.set(view.layers.findIndex(({ name }) => name === view.layer));
  }

  /** Shows the likelihoods under the γ of each task, null where they are not there yet, and the maps of the chosen one. */
  function draw(found, label) {
    answers.replaceChildren(table(view, found, label));
    const chosen = found[view.gamma];
    if (!chosen || chosen.layer !== view.layer || chosen.first !== view.first) return;
    const { gamma } = parameters[view.gamma].layers.find(({ name }) => name === view.layer);
    const off = chosen.off.map((zero, k) => (gamma ? Math.abs(gamma[view.first + k]) < view.eps : zero));
    const words = ` A dashed frame marks a channel that the task switched off: |γ| < ${view.eps}.`;
    maps.replaceChildren(featureMaps({ ...chosen, off }, parameters[view.gamma], (to) => view.change({ first: to }), words));
  }

  /** Marks what is shown as that of an earlier picture or γ, until all answers to the new one are there. */
  function busy(is) {
    if (is) element.setAttribute("aria-busy", "true");
    else element.removeAttribute("aria-busy");
  }

  update();
  view.addEventListener("change", update);
  return { element, draw, busy };
}

/** A row a class, a column a task. */
function table(view, found, label) {
  const rows = new Map();
  found.forEach((result, place) => {
    for (const row of result?.classes ?? []) {
      if (!rows.has(row.class)) rows.set(row.class, { name: row.name, shares: view.tasks.map(() => null) });
      rows.get(row.class).shares[place] = row.unedited;
    }
  });
  const best = (place) => Math.max(...[...rows.values()].map(({ shares }) => shares[place] ?? 0));
  const listed = [...rows].toSorted(([a], [b]) => a - b);
  const peak = ({ shares }) => Math.max(...shares.map((share) => share ?? 0));
  const kept = new Set(listed.toSorted(([, a], [, b]) => peak(b) - peak(a)).slice(0, SHOWN).map(([place]) => place).concat(label ?? []));
  return h(
    "table",
    { class: "table tasks-answers" },
    h(
      "thead",
      {},
      h("tr", {}, h("th", { scope: "col" }, "Class"), view.tasks.map(({ title }, place) => h("th", { scope: "col", class: place === view.gamma ? "chosen" : null }, h("span", { class: "quiet" }, "γ of "), title))),
    ),
    h(
      "tbody",
      {},
      listed
        .filter(([place]) => kept.has(place))
        .map(([place, { name, shares }]) =>
          h(
            "tr",
            { class: place === label ? "right" : null },
            h("th", { scope: "row" }, name, place === label ? h("span", { class: "quiet" }, " ✓ correct") : null),
            shares.map((share, task) =>
              h(
                "td",
                { class: task === view.gamma ? "chosen" : null },
                share === null
                  ? h("span", { class: "quiet" }, found[task] ? "–" : "…")
                  : [h("span", { class: "bar", style: `--share: ${share}`, "aria-hidden": "true" }), share === best(task) ? h("strong", {}, percent(share)) : percent(share)],
              ),
            ),
          ),
        ),
    ),
  );
}
