/**
 * The lower part of a run's page: what was asked for, the last points as a table, and what happened.
 */

import { architectureTitle, datasetOf, policyOf } from "../catalog.js";
import { mount as mountNetwork } from "../charts/network.js";
import { h } from "../dom.js";
import { decimal, NONE, percent, time, when, whole } from "../format.js";

const ROWS = 20;

/** `preview`: promise of the answer of /api/preview to the run's spec, or of null. */
export function details(data, preview) {
  return h(
    "div",
    { class: "details" },
    network(preview),
    specification(data.run),
    folded("The last points as a table", table(data)),
    folded("What happened", log(data)),
  );
}

function network(preview) {
  const box = h("div", { class: "network-box" });
  const picture = mountNetwork(box);
  preview.then((answer) => answer && picture.draw(answer.plan));
  return h(
    "section",
    { class: "card", "aria-labelledby": "network-title" },
    h("h2", { id: "network-title" }, "The network"),
    box,
    h("p", { class: "legend" }, h("span", { class: "key" }), "stays random", h("span", { class: "key lit" }), "trains"),
  );
}

function folded(title, content) {
  return h("details", { class: "card" }, h("summary", {}, title), content);
}

function specification({ id, spec, counts, created_at, device }) {
  const { recipe } = spec;
  const rows = [
    ["Architecture", architectureTitle(spec.architecture)],
    ["What trains", `${policyOf(spec.policy).title}: ${whole(counts.trainable)} of ${whole(counts.total)} parameters`],
    [
      "BatchNorm, output, shortcuts",
      `${whole(counts.batchnorm)}, ${whole(counts.output)}, ${whole(counts.shortcut)} parameters`,
    ],
    [
      "Data set",
      `${datasetOf(spec.dataset).title}, ${spec.train_examples ? `${whole(spec.train_examples)} training images` : "all training images"}`,
    ],
    ["Length", `${spec.epochs} ${spec.epochs === 1 ? "epoch" : "epochs"} of batches of ${recipe.batch_size}`],
    [
      "Learning rate",
      `${recipe.lr}, times ${recipe.lr_drop_factor} at ${recipe.lr_drops.map((share) => `${share * 100}\u202f%`).join(" and ") || NONE}`,
    ],
    ["Momentum, weight decay", `${recipe.momentum}, ${recipe.weight_decay}`],
    ["Augmentation", recipe.augmentation],
    ["Initial values", `${spec.init.weights}, γ and β ${spec.init.norm}`],
    ["Replicate", `${spec.replicate} (seeds ${Object.values(spec.seeds).join(", ")})`],
    ["Launched", when(created_at)],
    ["Trained on", device ?? NONE],
    ["Id", id],
  ];
  return h(
    "section",
    { class: "card", "aria-labelledby": "spec-title" },
    h("h2", { id: "spec-title" }, "Specification"),
    h(
      "dl",
      { class: "spec" },
      rows.map(([label, value]) => h("div", {}, h("dt", {}, label), h("dd", {}, value))),
    ),
  );
}

function table(data) {
  const body = h("tbody");
  data.addEventListener("change", () => {
    const points = ["train", "test"].flatMap((split) =>
      data.points[split].slice(-ROWS).map((point) => ({ split, ...point })),
    );
    points.sort((a, b) => b.step - a.step);
    const cells = ({ step, epoch, split, loss, top1 }) => [
      whole(step),
      epoch.toFixed(2),
      split,
      decimal(loss),
      percent(top1, 2),
    ];
    body.replaceChildren(
      ...points.slice(0, ROWS).map((point) =>
        h(
          "tr",
          {},
          cells(point).map((cell) => h("td", {}, cell)),
        ),
      ),
    );
  });
  const heads = ["Step", "Epoch", "Split", "Loss", "Accuracy"].map((title) => h("th", { scope: "col" }, title));
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": "The last points" },
    h("table", { class: "table" }, h("thead", {}, h("tr", {}, heads)), body),
  );
}

function log(data) {
  const list = h("ol", { class: "log" });
  let shown = 0;
  data.addEventListener("change", () => {
    for (const { at, message } of data.log.slice(shown))
      list.append(h("li", {}, h("time", { title: when(at) }, time(at)), h("span", {}, message)));
    shown = data.log.length;
  });
  return list;
}
