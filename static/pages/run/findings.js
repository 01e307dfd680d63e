/**
 * The results of the analyses, under the curves of a finished run; absent until there are any.
 */

import { ask } from "../../server/api.js";
import { ablation } from "../../charts/ablation.js";
import { conditioning } from "../../charts/analyses/conditioning.js";
import { relus, zeros } from "../../charts/analyses/relus.js";
import { architectureTitle, options } from "../../server/catalog.js";
import { h, show } from "../../base/dom.js";
import { decimal, percent, raised, whole } from "../../base/format.js";
import { panel } from "./charts.js";

const RETRY_MS = 3000;

/** An element that fills itself once the run of `data` has findings. */
export function findings(data) {
  const place = h("div", { class: "charts", hidden: true });
  let asked = false;

  async function load() {
    try {
      const found = await ask(`/api/runs/${data.id}/findings`);
      place.replaceChildren(...panels(found, data.run));
      show(place, true);
    } catch (refusal) {
      if (refusal.passing) setTimeout(load, Math.max(RETRY_MS, refusal.retry_ms));
    }
  }

  data.addEventListener("change", () => {
    if (asked || !data.run.findings || data.run.state !== "finished") return;
    asked = true;
    load();
  });
  return place;
}

function panels(found, { spec, counts }) {
  return [
    h("div", { class: "charts-head" }, h("h2", {}, "The trained network, analysed")),
    found.ablation.length
      ? panel("Accuracy with small γ removed", "Test accuracy after every γ with |γ| < ε is set to 0, without retraining.", (box) =>
          ablation(box, found.ablation, spec.policy),
        )
      : null,
    panel("Dead ReLU channels", "Channels that are zero for more than 99% of all pixels of the test images.", (box) =>
      relus(box, found, spec.policy),
    ),
    found.relus.some(({ zero_shares }) => zero_shares.length)
      ? panel(
          "How often each channel is zero",
          "Each column is a ReLU, from input to output; colour shows how many of its channels are zero that often. " +
            "Channels in the top row are always or almost always zero.",
          (box) => zeros(box, found),
          { wide: true, paper: false },
        )
      : null,
    found.jacobian
      ? panel(
          "How evenly γ can be learned",
          "Condition number of the logits’ derivative in each layer’s γ: 1 is best; the larger, the slower the worst direction of γ learns.",
          (box) => conditioning(box, found.jacobian, spec.policy),
          { wide: true, paper: false },
        )
      : null,
    facts(found, counts),
    found.computed ? computation(found.computed) : null,
    found.adapted?.length ? adaptation(found.adapted) : null,
    found.layers.length ? statistics(found) : null,
  ].filter(Boolean);
}

/** Two sentences about the ReLUs and the parameters behind them. */
function facts(found, counts) {
  const share = percent(found.unused_parameters / counts.total);
  return h(
    "p",
    { class: "charts-note screen-only", "data-slot": "unused" },
    `${percent(found.relu_always_off)} of all ReLU channels are zero for every test image, ` +
      `${percent(found.relu_mostly_off)} for more than 99% of their pixels. `,
    `${whole(found.unused_parameters)} of ${whole(counts.total)} parameters (${share}) feed or read only channels ` +
      `that are always off: they have no effect on any of these images. `,
    h("span", { class: "quiet" }, `Measured on ${whole(found.test_examples)} test images.`),
  );
}

/** How γ and β were computed. */
function computation({ teacher, teacher_top1, images, layers }) {
  const columns = [
    ["Channels in use", ({ used, channels }) => `${whole(used)} of ${whole(channels)}`],
    ["Explained", ({ explained }) => percent(explained)],
  ];
  return h(
    "section",
    { class: "card charts-note statistics screen-only", "aria-labelledby": "computation-title" },
    h("h3", { id: "computation-title" }, "γ and β, computed"),
    h(
      "p",
      {},
      `From a trained ${architectureTitle(teacher)}, whose test accuracy is ${percent(teacher_top1)}, and ` +
        `${whole(images)} training images. Explained is the share of the variance of each layer’s target.`,
    ),
    table("Layer", layers, "Layers that were computed", columns),
  );
}

/** What the adaptation that the run asks for gave. */
function adaptation(rows) {
  const part = (name) => (row) => `${percent(row[name].share)} (${(100 * row[name].low).toFixed(1)}–${(100 * row[name].high).toFixed(1)})`;
  const columns = [
    ["Severity", ({ severity }) => severity],
    ["As trained", part("trained")],
    ["Test statistics", part("statistics")],
    ["γ and β, too", part("entropy")],
    ["Images", ({ images }) => whole(images)],
  ];
  const named = rows.map((row) => ({ ...row, name: raised((row.corruption ?? "none (clean)").replaceAll("-", " ")) }));
  return h(
    "section",
    { class: "card charts-note statistics screen-only", "aria-labelledby": "adaptation-title" },
    h("h3", { id: "adaptation-title" }, "Adapted to corrupted images without labels"),
    table("Corruption", named, "Accuracy before and after adaptation", columns),
  );
}

/** A decimal without "-0". */
const signed = (value) => decimal(value, 3).replace(/^-(0\.0+)$/, "$1");

const COLUMNS = [
  ["Features", ({ gamma }) => whole(gamma.count)],
  ["γ mean", ({ gamma }) => signed(gamma.mean)],
  ["γ sd", ({ gamma }) => decimal(gamma.sd, 3)],
  ["γ < 0", ({ gamma }) => percent(gamma.negative)],
  [`|γ| < ${options.disabled_below}`, ({ gamma }) => percent(gamma.near_zero)],
  ["β mean", ({ beta }) => signed(beta.mean)],
  ["β sd", ({ beta }) => decimal(beta.sd, 3)],
  ["β < 0", ({ beta }) => percent(beta.negative)],
  [`|β| < ${options.disabled_below}`, ({ beta }) => percent(beta.near_zero)],
];

/** γ and β as numbers: totals, and a closed table of the layers. */
function statistics(found) {
  const totals = [
    { name: "All norm layers", gamma: found.gamma, beta: found.beta },
    { name: "Without shortcuts", gamma: found.gamma_inner, beta: found.beta_inner },
  ];
  const some = found.layers.some(({ shortcut }) => shortcut);
  const layers = h("details", {}, h("summary", {}, `Layer by layer (${whole(found.layers.length)})`));
  // A deep network has hundreds of layers, so their rows are made when the reader opens the table.
  layers.addEventListener("toggle", () => layers.append(table("Layer", found.layers, "γ and β layer by layer")), {
    once: true,
  });
  return h(
    "section",
    { class: "card charts-note statistics screen-only", "aria-labelledby": "statistics-title" },
    h("h3", { id: "statistics-title" }, "γ and β in numbers"),
    table("Layers", some ? totals : totals.slice(0, 1), "γ and β of all layers"),
    layers,
  );
}

function table(title, rows, label, columns = COLUMNS) {
  const heads = [title, ...columns.map(([name]) => name)];
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": label },
    h(
      "table",
      { class: "table" },
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          heads.map((name) => h("th", { scope: "col" }, name)),
        ),
      ),
      h(
        "tbody",
        {},
        rows.map((row) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, row.name),
            columns.map(([, value]) => h("td", {}, value(row))),
          ),
        ),
      ),
    ),
  );
}
