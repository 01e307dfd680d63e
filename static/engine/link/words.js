/**
 * The line of words in a link, `resnet-14 batchnorm digits epochs=20 seeds.init=7`, to and from a spec (docs/link.md).
 */

const FIRST = ["architecture", "policy", "dataset"];
const UNSAID = ["name", "adapt"]; // of a spec; a link has neither
const WORD = /^[!-~]+$/;

/** What a line leaves out, for ever. */
const OMITTED = {
  contents: null,
  copy_of_data: null,
  draw: 2,
  init: { weights: "he-normal", norm: "uniform" },
  norm: { kind: "batch", affine: true, groups: 8 },
  recipe: {
    optimizer: "sgd",
    lr: 0.1,
    momentum: 0.9,
    nesterov: false,
    weight_decay: 1e-4,
    batch_size: 128,
    schedule: "step",
    lr_drops: [0.5, 0.75],
    lr_drop_factor: 0.1,
    warmup_epochs: 0,
    label_smoothing: 0,
    sync_batchnorm: false,
    precision: "auto",
    lean: true,
    augmentation: "standard",
  },
  replicate: 0,
  seeds: {},
  start: null,
  test_examples: null,
  train_examples: null,
};

/** The line of a complete `spec`; `derived`: the seeds that follow from its replicate; `top1`: its test accuracy. */
export function writtenWords(spec, derived, top1) {
  const { init: _, ...followed } = derived; // no reader has to derive the seed that the network needs
  const omitted = new Map(dotted({ ...OMITTED, seeds: followed }));
  const rows = dotted(spec).filter(([key, value]) => ![...FIRST, ...UNSAID].includes(key.split(".")[0]) && omitted.get(key) !== value);
  rows.push(["top1", textOfValue(Number(top1.toFixed(4)))]);
  const named = rows.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => `${key}=${value}`);
  return [...FIRST.map((key) => spec[key]), ...named].join(" ");
}

/** Every field as ["recipe.lr", "0.1"]. */
function dotted(fields, before = "") {
  return Object.entries(fields).flatMap(([key, value]) => {
    const inner = value && typeof value === "object" && !Array.isArray(value);
    return inner ? dotted(value, `${before}${key}.`) : [[before + key, textOfValue(value)]];
  });
}

/** A name as it is, anything else as JSON in ASCII; a text that would read as JSON has quotation marks. */
function textOfValue(value) {
  if (typeof value === "string" && WORD.test(value) && valueOf(value) === value) return value;
  return JSON.stringify(value).replace(/[^ -~]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** The { spec, told } that a line means. Throws an Error whose message is for a person. */
export function readWords(line) {
  const [architecture, policy, dataset, ...rest] = line.split(" ");
  if (!(architecture && policy && dataset)) throw broken("it does not name an architecture, a policy and a data set");
  const spec = { architecture, policy, dataset, ...structuredClone(OMITTED) };
  const told = { top1: null, edited: 0 };
  for (const word of rest) {
    const [, key, text] = /^([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*)=(.+)$/.exec(word) ?? [];
    if (!key) throw broken(`it has the word ${word.slice(0, 40)}, which is no key=value`);
    if (Object.hasOwn(told, key)) told[key] = valueOf(text);
    else assign(spec, key.split("."), valueOf(text));
  }
  if (spec.seeds.init === undefined) throw broken("it has no seed");
  return { spec, told };
}

/** `text` as JSON, or itself where it is a name. */
function valueOf(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function assign(fields, path, value) {
  const last = path.pop();
  for (const part of path) {
    if (!Object.hasOwn(fields, part) || fields[part] === null) fields[part] = {};
    fields = fields[part];
    if (typeof fields !== "object") throw broken("it has a word that does not belong to a spec");
  }
  fields[last] = value;
}

export const broken = (why) => new Error(`This link cannot be opened: ${why}.`);
