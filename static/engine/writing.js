/**
 * Writes a capsule as core/trained/capsule.py does.
 */

import { drawValues } from "./network.js";
import { parametersOf } from "./plan.js";
import { trainsOf } from "./policy.js";

const TEXT = new TextEncoder();
const LAST = ["running_mean", "running_var"];

/**
 * The bytes of the capsule of a trained network, and its result with the digest. `tensors`: what trained, by the names of
 * a capsule; `network`: has the running statistics; `result`: the event `finished` without its digest.
 */
export function capsuleOf(kernels, spec, network, tensors, result) {
  const { plan } = network;
  const trained = new Map(tensors);
  for (const unit of plan.units) {
    trained.set(`${unit.norm}.running_mean`, network.part("mean", unit).slice());
    trained.set(`${unit.norm}.running_var`, network.part("variance", unit).slice());
  }
  const whole = { ...result, digest: digestOf(kernels, trained) };
  const groups = new Map();
  const add = (group, values) => groups.set(group, [...(groups.get(group) ?? []), values]);
  const trains = trainsOf(spec.policy, plan);
  for (const { name, role } of parametersOf(plan)) {
    const how = trains.get(name)?.how;
    if (how === "whole") add(role, trained.get(name));
    else if (how) add(how, trained.get(`${name.replace(/\.weight$/, "")}.${how}`));
  }
  for (const kind of LAST) for (const unit of plan.units) add(kind, trained.get(`${unit.norm}.${kind}`));
  const metadata = {
    ...{ format: "onlybn-capsule", version: "1", spec: JSON.stringify(spec), result: JSON.stringify(whole) },
    origin: JSON.stringify({ torch: "none", device: "cpu", threads: kernels.threads, engine: "browser, WebAssembly" }),
    frozen: digestOf(kernels, frozen(kernels, plan, spec, trains)),
  };
  return { bytes: safetensors(metadata, groups), result: whole };
}

/** The tensors that no training changed: drawn anew. */
function frozen(kernels, plan, spec, trains) {
  const values = drawValues(kernels, plan, spec);
  return new Map([...values].filter(([name]) => !/\.running_(mean|var)$/.test(name) && trains.get(name)?.how !== "whole"));
}

/** SHA-256 over names and bits, in the order of the names. */
function digestOf(kernels, tensors) {
  const names = [...tensors.keys()].sort();
  const parts = names.flatMap((name) => [TEXT.encode(name), bytesOfFloats(tensors.get(name))]);
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const at = kernels.take(length + 32);
  const room = kernels.bytes(at, length);
  let place = 0;
  for (const part of parts) {
    room.set(part, place);
    place += part.length;
  }
  kernels.exports.onlybn_sha256(at, length, at + length);
  const digest = Array.from(kernels.bytes(at + length, 32), (byte) => byte.toString(16).padStart(2, "0")).join("");
  kernels.give(at);
  return digest;
}

const bytesOfFloats = (values) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

function safetensors(metadata, groups) {
  const header = { __metadata__: metadata };
  let reached = 0;
  const parts = [];
  for (const name of [...groups.keys()].sort()) {
    const count = groups.get(name).reduce((sum, values) => sum + values.length, 0);
    header[name] = { dtype: "F32", shape: [count], data_offsets: [reached, reached + 4 * count] };
    reached += 4 * count;
    parts.push(...groups.get(name).map(bytesOfFloats));
  }
  let text = JSON.stringify(header);
  const length = TEXT.encode(text).length;
  text += " ".repeat((8 - (length % 8)) % 8); // the numbers begin at a multiple of 8
  const head = TEXT.encode(text);
  const bytes = new Uint8Array(8 + head.length + reached);
  new DataView(bytes.buffer).setUint32(0, head.length, true);
  bytes.set(head, 8);
  let place = 8 + head.length;
  for (const part of parts) {
    bytes.set(part, place);
    place += part.length;
  }
  return bytes;
}
