/**
 * The channels that each task switched off, and how many two tasks switched off alike, beside what chance would give.
 */

import { csv } from "../../base/csv.js";
import { h } from "../../base/dom.js";
import { save } from "../../base/files.js";
import { percent, whole } from "../../base/format.js";

/** By task, by layer: which channels have |γ| < eps. `parameters`: of each task's run. */
const offOf = (parameters, eps) =>
  parameters.map(({ layers }) => layers.map(({ gamma, channels }) => Array.from({ length: channels }, (_, k) => Boolean(gamma) && Math.abs(gamma[k]) < eps)));

const sum = (values) => values.reduce((total, value) => total + value, 0);

/** How many channels the tasks numbered `places` have all switched off, and how many chance would give. */
function alike(off, places) {
  const flat = places.map((place) => off[place].flat());
  const all = flat[0].length;
  const both = sum(flat[0].map((_, k) => flat.every((one) => one[k])));
  return { both, chance: all * flat.reduce((share, one) => share * (sum(one) / all), 1) };
}

/** @param {import("./view.js").TasksView} view */
export function overlapCard(view, parameters) {
  const field = h("input", { type: "number", class: "search", min: 0, max: 100, step: "any", id: "tasks-eps" });
  field.addEventListener("change", () => {
    const eps = Number(field.value);
    if (eps > 0 && eps <= 100) view.change({ eps });
    else field.value = view.eps;
  });
  const body = h("div", { class: "tasks-overlap" });
  const trained = parameters.every(({ layers }) => layers.every(({ gamma }) => gamma));
  const element = h(
    "section",
    { class: "card tasks-off", "aria-labelledby": "tasks-off-title" },
    h("h2", { id: "tasks-off-title" }, "Channels that each task switched off"),
    trained
      ? [
          h("div", { class: "tasks-field" }, h("label", { for: "tasks-eps" }, "Off where |γ| is below"), field),
          body,
          h("div", { class: "actions" }, h("button", { type: "button", class: "button small", onclick: () => save("onlybn-tasks-gamma.csv", rows(view, parameters), "text/csv") }, "γ of all tasks (CSV)")),
        ]
      : h("p", { class: "note" }, "These tasks did not train all γ, so they switched none off: their γ are the random ones."),
  );
  function update() {
    field.value = view.eps;
    if (!trained) return;
    const off = offOf(parameters, view.eps);
    body.replaceChildren(matrix(view, off), together(view, off), strips(view, off));
  }
  update();
  view.addEventListener("change", update);
  return { element };
}

const rows = ({ tasks }, parameters) =>
  csv([
    ["layer", "channel", ...tasks.map(({ title }) => title)],
    ...parameters[0].layers.flatMap(({ name, channels }, layer) =>
      Array.from({ length: channels }, (_, k) => [name, k, ...parameters.map(({ layers }) => layers[layer].gamma[k])]),
    ),
  ]);

/** The tasks against each other; on the diagonal what each switched off. */
function matrix({ tasks }, off) {
  const all = off[0].flat().length;
  const words = h("p", { class: "quiet" }, `Of ${whole(all)} channels, how many are off in both tasks; in brackets, how many chance would give:`);
  const box = h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": "Channels off in two tasks" },
    h(
      "table",
      { class: "table" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Task"), tasks.map(({ title }) => h("th", { scope: "col", class: "number" }, title)))),
      h(
        "tbody",
        {},
        tasks.map(({ title }, row) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, title),
            tasks.map((_, column) => {
              const { both, chance } = alike(off, [row, column]);
              return h("td", { class: "number" }, row === column ? [h("strong", {}, whole(both)), h("span", { class: "quiet" }, ` (${percent(both / all)})`)] : [whole(both), h("span", { class: "quiet" }, ` (${chance.toFixed(1)})`)]);
            }),
          ),
        ),
      ),
    ),
  );
  return h("div", {}, words, box);
}

function together({ tasks }, off) {
  const { both, chance } = alike(off, tasks.map((_, place) => place));
  return h("p", {}, `${whole(both)} channels are off in all ${whole(tasks.length)} tasks; chance would give ${chance.toFixed(1)}. More than chance is to be expected: the γ of all tasks start from the same values.`);
}

/** The channels of the chosen layer, a strip a task. */
function strips({ tasks, layers, layer }, off) {
  const place = layers.findIndex(({ name }) => name === layer);
  return h(
    "div",
    { class: "tasks-strips" },
    h("h3", {}, `Channels of ${layer}`),
    h("p", { class: "legend" }, h("span", { class: "legend-item" }, h("span", { class: "task-channel", "aria-hidden": "true" }), "on"), h("span", { class: "legend-item" }, h("span", { class: "task-channel off", "aria-hidden": "true" }), "off")),
    tasks.map(({ title }, task) => {
      const here = off[task][place];
      const named = here.flatMap((is, k) => (is ? [k] : []));
      return h(
        "div",
        { class: "task-strip" },
        h("span", { class: "task-strip-title" }, title),
        h("div", { class: "task-channels", role: "img", "aria-label": `${title}: ${named.length ? `off: ${named.join(", ")}` : "none is off"}` }, here.map((is, k) => h("span", { class: is ? "task-channel off" : "task-channel", title: `channel ${k}${is ? ", off" : ""}` }))),
      );
    }),
  );
}
