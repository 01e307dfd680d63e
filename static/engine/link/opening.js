/**
 * Opens a network in a link: the text behind `#` becomes its spec and its trained tensors (docs/link.md). No page.
 */

import { QUANTITIES, unfolded } from "./blocks.js";
import { float16, numbersOf } from "./levels.js";
import { contentOf, crc32, joined, LARGEST } from "./text.js";
import { broken, readWords } from "./words.js";

const VERSION = 1;

/**
 * The network in `text`, a whole link or what stands behind its `#`: {spec, told, tensors, sizeBytes}.
 *
 * `spec` has the fields of a RunSpec; of its seeds, those that do not follow from the replicate, and always `init`.
 * `told`: {top1, edited}, what the link claims of its run. `tensors`: Float32Arrays by the names of a capsule's flat
 * tensors (`gamma`, `beta`, `running_mean`, `running_var`, `output`, ...), each layer behind the one before it, in
 * forward order; only those that the capsule would have. `layers`: {kind, size} of each norm layer and other tensor, for
 * the reader to compare with the architecture. Throws an Error whose message is for a person.
 */
export async function openLink(text) {
  const content = contentOf(text);
  if (content.length > LARGEST) throw new Error("This link is longer than 100 kB, which none is.");
  if (content[0] !== VERSION)
    throw new Error(`This is no link to a network, or one of version ${content[0] ?? "none"}; this page reads version ${VERSION}.`);
  const body = content.subarray(0, -4);
  const sum = content.length > 4 && new DataView(content.buffer, content.length - 4).getUint32(0, true);
  if (crc32(body) !== sum)
    throw new Error("This link is damaged or incomplete: its checksum does not match. Copy the whole link again.");
  const reader = new Reader(body, 1);
  const { spec, told } = readWords(ascii(reader.take(reader.number())));
  const layers = readLayers(reader);
  const parts = {};
  for (const { kind, size } of layers) addTo(parts, unfolded(kind, QUANTITIES[kind].map(() => reader.levels(size))));
  if (reader.at !== body.length) throw broken("it has bytes behind its last layer");
  const tensors = Object.fromEntries(Object.entries(parts).map(([name, pieces]) => [name, joined(pieces, Float32Array)]));
  return { spec, told, tensors, layers, sizeBytes: content.length };
}

class Reader {
  constructor(content, at) {
    [this.content, this.at] = [content, at];
  }

  take(count) {
    if (this.at + count > this.content.length) throw broken("it ends too early");
    this.at += count;
    return this.content.subarray(this.at - count, this.at);
  }

  /** LEB128. */
  number() {
    let [value, shift, byte] = [0, 0, 128];
    for (; byte >= 128 && shift <= 28; shift += 7) {
      byte = this.take(1)[0];
      value += (byte & 127) * 2 ** shift;
    }
    if (value > LARGEST) throw broken(`it has a number of ${value}, which is too large`);
    return value;
  }

  /** `size` numbers in 8 bits. */
  levels(size) {
    const head = this.take(4);
    const view = new DataView(head.buffer, head.byteOffset);
    const [scale, zero] = [float16(view.getUint16(0, true)), view.getInt16(2, true)];
    if (!(scale >= 0 && Number.isFinite(scale))) throw broken("it has a scale that is not a number of 0 or more");
    return numbersOf({ scale, zero, levels: this.take(size) });
  }
}

function readLayers(reader) {
  const layers = [];
  for (let runs = reader.number(); runs > 0; runs--) {
    const [kind, size, length] = [reader.number(), reader.number(), reader.number()];
    if (!QUANTITIES[kind] || layers.length + length > 20_000) throw broken("it has layers that this page does not know");
    for (let count = 0; count < length; count++) layers.push({ kind, size });
  }
  return layers;
}

function addTo(parts, tensors) {
  for (const [name, numbers] of Object.entries(tensors)) (parts[name] ??= []).push(numbers);
}

function ascii(bytes) {
  if (bytes.some((byte) => byte > 126)) throw broken("it names a network in letters that are not ASCII");
  return String.fromCharCode(...bytes);
}
