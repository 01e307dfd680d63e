/**
 * A network's picture in words and colours: its legend, its sentence for screen readers, and the shades of disabled
 * layers.
 */

import { h } from "../../base/dom.js";
import { percent, whole } from "../../base/format.js";

/** The looks of a layer by the share of its features that is off; a step applies to shares up to `most`. */
const OFF_STEPS = [
  { look: "off-0", most: 0, words: "none" },
  { look: "off-1", most: 0.1, words: "up to 10%" },
  { look: "off-2", most: 0.25, words: "25%" },
  { look: "off-3", most: 0.5, words: "50%" },
  { look: "off-4", most: 0.75, words: "75%" },
  { look: "off-5", most: 1, words: "more" },
];

export const OFF_LOOKS = OFF_STEPS.map(({ look }) => look);

/** The look of a layer with the share `share` (0..1) of its features off; an unknown share looks like 0. */
export const offLook = (share = 0) => OFF_STEPS.find(({ most }) => share <= most + 1e-9).look;

/** The legend's elements for `plan` (of /api/preview), which shows what trains. */
export function trainedLegend(plan) {
  const { norm, keep, blocks } = plan;
  const lit = trained(plan);
  const rows = [["frozen", "stays random"]];
  const used = `${percent(keep, 0)} of these weights are used: those with the highest scores`;
  if (keep) rows.push(["kept", lit.length > 1 ? used : `${used}; only the scores train`]);
  if (lit.length > (keep ? 1 : 0)) rows.push(["lit", "trains"]);
  if (!norm.affine) rows.push([null, "The norm layers have no γ and β."]);
  else if (norm.gamma !== norm.beta) rows.push([null, "Narrow bars: norm layers, γ above and β below."]);
  if (blocks.some(({ pool }) => pool)) rows.push(["wedge", "max-pool"]);
  return rows.map(([look, words]) =>
    h("span", { class: "legend-item" }, look ? h("span", { class: `key ${look}`, "aria-hidden": "true" }) : null, words),
  );
}

/** The picture of what trains in a sentence. */
export function trainedSentence(plan, stages) {
  const { blocks } = plan;
  const layers = blocks.reduce((sum, { units }) => sum + units.length, 0) + 1;
  const what = blocks[0].residual
    ? `${whole(blocks.length)} residual blocks in ${stages} stages`
    : `${whole(layers)} convolutions in ${stages} stages, without shortcuts`;
  return `A network of ${what}. Highlighted, because it trains: ${trained(plan).join(", ") || "nothing"}.`;
}

/** The legend's elements for a picture coloured by the features that are off. */
export const offLegend = () => [
  h("span", { class: "legend-item" }, "Features with |γ| ≈ 0:"),
  ...OFF_STEPS.map(({ look, words }) =>
    h("span", { class: "legend-item" }, h("span", { class: `key ${look}`, "aria-hidden": "true" }), words),
  ),
];

/** The picture of the features that are off in a sentence: the whole network, and each stage. */
export function offSentence({ stem }, stages, { shares, all }) {
  const units = stages.map((blocks) => blocks.flatMap(({ units, shortcut }) => (shortcut ? [...units, shortcut] : units)));
  const share = (group) => {
    const known = group.filter(({ norm }) => norm in shares);
    const channels = known.reduce((sum, part) => sum + part.channels, 0);
    return percent(known.reduce((sum, part) => sum + shares[part.norm] * part.channels, 0) / channels, 0);
  };
  const parts = units.map((group, index) => `${share(group)} in stage ${index + 1}`);
  return `The network, coloured by its share of disabled features: ${percent(all, 0)} of all; ${share([stem])} in the stem, ${parts.join(", ")}.`;
}

/** The parts that train, in words. */
function trained({ stem, blocks, output, norm, keep }) {
  const units = blocks.flatMap(({ units, shortcut }) => (shortcut ? [...units, shortcut] : units)).concat(stem);
  const inner = blocks.flatMap(({ units }) => units).concat(stem);
  const shortcuts = blocks.flatMap(({ shortcut }) => shortcut ?? []);
  const frozen = inner[0].trained === 0 || inner[0].scored;
  const others = shortcuts.some(trainsWhole) || trainsWhole(output) || units.some((part) => part.norm_trained > 0);
  const parts = [
    [keep > 0, others ? "a score for every other weight" : "a score for every weight"],
    [inner.every(trainsWhole), "the convolutions"],
    [shortcuts.length > 0 && shortcuts.every(trainsWhole) && frozen, "the convolutions of the shortcuts"],
    [units.some((part) => part.trained > 0 && part.trained < 1), "some weights of every convolution"],
    [units.some((part) => part.bias_trained > 0) && inner[0].trained === 0, "the biases of the convolutions"],
    [units.some((part) => part.norm_trained > 0), normWords(units, norm)],
    [trainsWhole(output), "the output layer"],
    [output.trained > 0 && output.trained < 1 && !output.scored, "the biases of the output layer"],
  ];
  return parts.filter(([trains]) => trains).map(([, words]) => words);
}

/** Whether a part trains as it is, without scores. */
const trainsWhole = ({ trained, scored }) => trained === 1 && !scored;

function normWords(units, { title, gamma, beta }) {
  const which = units.every((part) => part.norm_trained > 0) ? "every" : "some";
  const layers = title === "no normalisation" ? "scale" : title;
  const what = gamma && beta ? "" : gamma ? "γ of " : "β of ";
  return `${what}${which} ${layers} ${which === "every" ? "layer" : "layers"}`;
}
