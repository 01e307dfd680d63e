/**
 * Where a network comes from: each gives { spec, tensors, result, size, origin }, or throws an Error that says why not.
 */

import { readCapsule } from "../engine/capsule.js";
import { keptTraining } from "../engine/kept.js";
import { openLink } from "../engine/link/opening.js";

const LARGEST = 64 << 20; // bytes

export async function fromFile(file) {
  if (file.size > LARGEST) throw new Error("This file is larger than 64 MB; a capsule is not.");
  const capsule = readCapsule(new Uint8Array(await file.arrayBuffer()));
  return { ...capsule, size: file.size, origin: "capsule" };
}

/** `address`: of a capsule, absolute or relative to the site. */
export async function fromAddress(address) {
  const site = new URL("../../", import.meta.url);
  let url;
  try {
    url = new URL(address, site);
  } catch {
    throw new Error("What stands behind ?url= in this address is no address.");
  }
  if (!/^https?:$/.test(url.protocol)) throw new Error("?url= must begin with https:// or be an address on this site.");
  const answer = await fetch(url).catch(() => null);
  if (!answer) throw new Error(`${url.host} could not be reached, or does not let other sites read its files.`);
  if (!answer.ok) throw new Error(`There is no capsule at ${url} (${answer.status}).`);
  if (Number(answer.headers.get("content-length")) > LARGEST) throw new Error("This file is larger than 64 MB; a capsule is not.");
  const bytes = await unpacked(new Uint8Array(await answer.arrayBuffer()));
  return { ...readCapsule(bytes), size: bytes.length, origin: "capsule" };
}

/** Files of a frozen site are packed by gzip, which some file servers undo and others do not. */
async function unpacked(bytes) {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(plain).arrayBuffer());
}

/** `id`: of a training that this browser keeps. */
export async function fromTab(id) {
  const kept = await keptTraining(id).catch(() => null);
  if (!kept?.capsule) throw new Error("This browser keeps no finished training with this id.");
  return { ...readCapsule(kept.capsule), size: kept.capsule.length, origin: "capsule" };
}

/** `text`: what stands behind # in a link. */
export async function fromLink(text) {
  const { spec, told, tensors, sizeBytes } = await openLink(text);
  return { spec, tensors, result: null, told, size: sizeBytes, origin: "link" };
}
