/**
 * Edits of γ as data: their effect on the γ of all layers, their form in an address, and their description in words.
 * Pure functions that agree with core/trained/surgery.py. γ are float32 in both, so that a threshold cuts the same γ.
 *
 * @typedef {{name: string, channels: number, gamma: Float32Array}} Layer  an unknown γ is NaN
 * @typedef {{action: "zero"|"flip"|"reset", layer?: string, features?: number[]}} Edit
 * @typedef {{eps: number, edits: Edit[]}} State  first every |γ| below eps becomes 0, then the edits apply
 */

/** The layers in the response of /api/runs/{id}/parameters, with γ as float32. @returns {Layer[]} */
export const readLayers = (layers) =>
  layers.map(({ gamma, ...layer }) => ({
    ...layer,
    gamma: gamma ? Float32Array.from(gamma) : new Float32Array(layer.channels).fill(Number.NaN),
  }));

/** γ of every layer after `state`. @returns {Float32Array[]} */
export function operate(layers, { eps, edits }) {
  const limit = Math.fround(eps);
  const gammas = layers.map(({ gamma }) => gamma.map((value) => (Math.abs(value) < limit ? 0 : value)));
  for (const { action, layer, features } of edits)
    layers.forEach(({ name, channels, gamma: trained }, place) => {
      if (layer !== undefined && layer !== name) return;
      const gamma = gammas[place];
      for (const k of features ?? Array.from({ length: channels }, (_, k) => k))
        gamma[k] = action === "zero" ? 0 : action === "flip" ? -gamma[k] : trained[k];
    });
  return gammas;
}

/** How many γ are 0, how many differ from the trained ones, and how many there are. */
export function count(layers, gammas) {
  const totals = { off: 0, changed: 0, all: 0 };
  layers.forEach(({ gamma: trained }, place) => {
    totals.all += trained.length;
    gammas[place].forEach((value, k) => {
      totals.off += value === 0;
      totals.changed += value !== trained[k] && !(Number.isNaN(value) && Number.isNaN(trained[k]));
    });
  });
  return totals;
}

/** `state` as the list of edits in a request. */
export const toRequest = ({ eps, edits }) => (eps > 0 ? [{ action: "zero", below: eps }, ...edits] : edits);

/** zero:stem.norm:0-3,7;flip:stage1.0.norm1 */
export const toText = (edits) =>
  edits
    .map(({ action, layer, features }) => [action, layer, features && ranges(features)].filter(Boolean).join(":"))
    .join(";");

/** The edits in a text of `toText` for `layers`; parts that make no sense are left out. @returns {Edit[]} */
export function fromText(text, layers) {
  const channels = new Map(layers.map((layer) => [layer.name, layer.channels]));
  return text
    .split(";")
    .map((part) => {
      const [action, layer, listed] = part.split(":");
      if (!["zero", "flip", "reset"].includes(action)) return null;
      if (!layer) return { action };
      if (!channels.has(layer)) return null;
      if (!listed) return { action, layer };
      const features = numbers(listed).filter((k) => k < channels.get(layer));
      return features.length ? { action, layer, features } : null;
    })
    .filter(Boolean);
}

/** [0, 1, 2, 3, 7] -> 0-3,7 */
export function ranges(features) {
  const sorted = [...features].sort((a, b) => a - b);
  const parts = [];
  for (let from = 0; from < sorted.length; from += 1) {
    let to = from;
    while (sorted[to + 1] === sorted[to] + 1) to += 1;
    parts.push(to > from ? `${sorted[from]}-${sorted[to]}` : `${sorted[from]}`);
    from = to;
  }
  return parts.join(",");
}

function numbers(text) {
  const found = new Set();
  for (const part of text.split(",")) {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part);
    if (!match) continue;
    for (let k = Number(match[1]); k <= Number(match[2] ?? match[1]); k += 1) found.add(k);
  }
  return [...found];
}

const VERBS = { zero: "set to 0", flip: "sign flipped", reset: "reset to the trained value" };

/** Features 0-3,7 of stem.norm: set to 0 */
export function words({ action, layer, features }) {
  const whose = layer ? (features ? `${features.length === 1 ? "Feature" : "Features"} ${ranges(features)} of ${layer}` : `All of ${layer}`) : "All layers";
  return `${whose}: ${VERBS[action]}`;
}
