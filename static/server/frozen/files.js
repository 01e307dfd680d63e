/**
 * The files of a frozen site. They are packed, and unpacked here, because not every file server says that they are.
 */

import { fileOf } from "../../base/place.js";

/** The file cannot be loaded; `status` is 0 if the file server was not reached. */
export class Unloaded extends Error {
  constructor(status) {
    super(status === 404 ? "This frozen site does not have that." : "This file cannot be loaded. Try again in a moment.");
    this.status = status;
  }
}

/** The bytes of the response to an address of the API. Throws Unloaded. */
export async function fileBytes(address) {
  const response = await fetch(fileOf(address)).catch(() => null);
  if (!response?.ok) throw new Unloaded(response?.status ?? 0);
  const content = await response.arrayBuffer();
  const [first, second] = new Uint8Array(content, 0, Math.min(2, content.byteLength));
  if (first !== 0x1f || second !== 0x8b) return content; // the server has said that it is packed: the browser did it
  return new Response(new Blob([content]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

const kept = new Map();

/** The response as a value, which is loaded once and must not be changed. Throws Unloaded. */
export function unpackedAnswer(address) {
  if (!kept.has(address)) {
    const made = fileBytes(address).then((content) => JSON.parse(new TextDecoder().decode(content)));
    kept.set(address, made);
    made.catch(() => kept.delete(address));
  }
  return kept.get(address);
}
