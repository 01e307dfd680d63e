/**
 * Reads a capsule (core/trained/capsule.py) as it comes from a stranger, and gives its network.
 */

import { DATASETS } from "./datasets.js";
import { drawValues, Network, putTrained } from "./network.js";
import { parametersOf, planOf } from "./plan.js";
import { trainsOf } from "./policy.js";
import { seedsOf } from "./seeds.js";

const FORMAT = "onlybn-capsule";
const VERSION = "1";
const MAX_HEADER = 1 << 20;
const TEXT = new TextDecoder("utf-8", { fatal: true });

/**
 * `bytes` of a file -> { spec, result, tensors }: the flat tensors by their group. Throws an Error that says in words
 * what is wrong with the file.
 */
export function readCapsule(bytes) {
  const { metadata, groups } = readTensors(bytes);
  if (metadata.format !== FORMAT) throw new Error("The file is a safetensors file, but not a capsule of OnlyBN.");
  if (metadata.version !== VERSION)
    throw new Error(`The file is a capsule of version ${String(metadata.version).slice(0, 20)}; this page reads version ${VERSION}.`);
  const missing = ["spec", "result"].filter((key) => !(key in metadata));
  if (missing.length) throw new Error(`The file is a capsule without ${missing.join(" and ")}.`);
  if (metadata.carried && metadata.carried !== "[]")
    throw new Error("This network started from a file of weights, which no seed gives back: this page cannot run it.");
  return { spec: parsed(metadata.spec, "a spec"), result: parsed(metadata.result, "a result"), tensors: groups };
}

/** The network of a capsule or of a link: `spec` and the flat `tensors` by group. */
export function rebuilt(kernels, { spec: given, tensors }) {
  const plan = planFor(given);
  const spec = { ...given, seeds: { ...seedsOf(kernels, given.replicate), ...given.seeds } };
  const values = drawValues(kernels, plan, spec);
  putTrained(kernels, plan, spec, values, unpacked(plan, spec, tensors));
  return new Network(kernels, plan, values);
}

/** The plan of a spec. Throws an Error that says why this page cannot run its network. */
export function planFor(spec) {
  const data = Object.hasOwn(DATASETS, spec.dataset) ? DATASETS[spec.dataset] : null;
  if (!data) throw new Error(`This page does not know the images of ${String(spec.dataset).slice(0, 40)}.`);
  if (spec.draw !== 2)
    throw new Error("The weights of this network were drawn by PyTorch's generator (draw 1), which a browser does not have.");
  if (spec.start) throw new Error("This network started from a file of weights, which no seed gives back: this page cannot run it.");
  if (spec.task && spec.task !== "whole")
    throw new Error(`This page runs networks for a whole data set; this one was trained on one of its tasks, ${String(spec.task).slice(0, 40)}.`);
  if (spec.norm.kind !== "batch" || !spec.norm.affine)
    throw new Error("This page runs networks with BatchNorm; this one has another norm layer.");
  return planOf(spec.architecture, data.shape, data.classes.length);
}

/** Flat tensors by group -> tensors by name, as core/run/layout.py lays them out. */
function unpacked(plan, spec, groups) {
  const used = {};
  const named = new Map();
  const take = (name, group, count) => {
    const from = used[group] ?? 0;
    used[group] = from + count;
    if (!groups[group] || groups[group].length < used[group])
      throw new Error(`The file is a capsule without all numbers of ${group} that its spec requires.`);
    named.set(name, groups[group].subarray(from, used[group]));
  };
  const trains = trainsOf(spec.policy, plan);
  for (const { name, role } of parametersOf(plan)) {
    const trained = trains.get(name);
    if (!trained) continue;
    const count = trained.shape.reduce((a, b) => a * b, 1);
    if (trained.how === "whole") take(name, role, count);
    else take(`${name.replace(/\.weight$/, "")}.${trained.how}`, trained.how, count);
  }
  for (const kind of ["running_mean", "running_var"])
    for (const { norm, conv } of plan.units) take(`${norm}.${kind}`, kind, conv.outputs);
  for (const [group, values] of Object.entries(groups))
    if (values.length !== used[group]) throw new Error(`The file has more numbers of ${group.slice(0, 40)} than its spec requires.`);
  for (const [name, values] of named) {
    if (!values.every(Number.isFinite)) throw new Error(`The file holds a value that is not a finite number, in ${name}.`);
    if (name.endsWith("running_var") && values.some((value) => value < 0))
      throw new Error(`The file holds a negative variance, in ${name}; a variance is 0 or more.`);
  }
  return named;
}

function readTensors(bytes) {
  if (bytes.length < 10) throw new Error(`The file is not a safetensors file: it has only ${bytes.length} bytes.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(0, true);
  if (view.getUint32(4, true) || length > MAX_HEADER)
    throw new Error("The file is not a safetensors file, or its header is larger than 1 MB.");
  if (length > bytes.length - 8)
    throw new Error(`The file is cut short: its header should have ${length} bytes, but has ${bytes.length - 8}.`);
  const header = parsed(utf8(bytes.subarray(8, 8 + length)), "a header");
  const { __metadata__: metadata = {}, ...rows } = header;
  const data = bytes.subarray(8 + length);
  const groups = {};
  let reached = 0;
  const places = Object.entries(rows).sort(([, a], [, b]) => (a?.data_offsets?.[0] ?? 0) - (b?.data_offsets?.[0] ?? 0));
  for (const [name, row] of places) {
    const shown = name.slice(0, 40);
    const [begin, end] = Array.isArray(row?.data_offsets) ? row.data_offsets : [];
    if (row?.dtype !== "F32" || row.shape?.length !== 1 || end - begin !== 4 * row.shape[0])
      throw new Error(`The file holds ${shown} in a form that no capsule has.`);
    if (begin !== reached) throw new Error(`The file has a gap or an overlap before tensor ${shown}.`);
    if (end > data.length)
      throw new Error(`The file is cut short: ${end} bytes of tensors are promised, ${data.length} are there.`);
    reached = end;
    groups[name] = new Float32Array(data.slice(begin, end).buffer);
  }
  if (reached < data.length) throw new Error(`The file has ${data.length - reached} bytes after its last tensor.`);
  return { metadata, groups };
}

function utf8(bytes) {
  try {
    return TEXT.decode(bytes);
  } catch {
    throw new Error("The file is not a safetensors file: its header is not text.");
  }
}

function parsed(text, what) {
  try {
    const value = JSON.parse(text);
    if (value && typeof value === "object" && !Array.isArray(value)) return value;
  } catch {
    // said below
  }
  throw new Error(`The file holds ${what} that cannot be read.`);
}
