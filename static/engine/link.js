/**
 * Opens a network in a link: the text behind `#` becomes its spec and its trained tensors (docs/link.md). No page.
 */

const VERSION = 1;
const LARGEST = 100_000;
const GROUP_BYTES = 22;
const GROUP_DIGITS = 53;
const EPSILON = 1e-5;
const [GAMMA, BETA, STATISTICS] = [1, 2, 4];

/** What a block holds, by its kind. */
const QUANTITIES = {
  1: ["gamma"],
  2: ["beta"],
  3: ["gamma", "beta"],
  4: ["deviation", "mean"],
  5: ["factor", "mean"],
  6: ["deviation", "mean", "beta"],
  7: ["factor", "shift"],
  16: ["output"],
  17: ["output-bias"],
  18: ["convolution-bias"],
  19: ["shortcut"],
  20: ["values"],
};

/** What a line of words leaves out, for ever. */
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
  for (const layer of layers) addTo(parts, unfolded(layer, reader));
  if (reader.at !== body.length) throw broken("it has bytes behind its last layer");
  const tensors = Object.fromEntries(Object.entries(parts).map(([name, pieces]) => [name, joined(pieces)]));
  return { spec, told, tensors, layers, sizeBytes: content.length };
}

const broken = (why) => new Error(`This link cannot be opened: ${why}.`);

/** The bytes of base64url, or of decimal digits. */
function contentOf(text) {
  if (text.length > 3 * LARGEST + 2000) throw new Error("This link is longer than 100 kB, which none is.");
  const code = text.replace(/\s+/g, "").split("#").pop();
  if (!code) throw new Error("This link has nothing behind its #, where the network would be.");
  if (!/^[\w-]+$/.test(code))
    throw new Error("This is no link to a network: it has other characters than letters, digits, - and _.");
  return /^\d+$/.test(code) ? fromDigits(code) : fromBase64url(code);
}

const digitsOf = (count) => String(256n ** BigInt(count) - 1n).length;

function fromDigits(code) {
  const bytes = [];
  for (let at = 0; at < code.length; at += GROUP_DIGITS) {
    const group = code.slice(at, at + GROUP_DIGITS);
    let count = 1;
    while (count < GROUP_BYTES && digitsOf(count) < group.length) count++;
    let value = BigInt(group);
    if (digitsOf(count) !== group.length || value >= 256n ** BigInt(count))
      throw new Error("This link is damaged or incomplete: its digits are not those of whole bytes.");
    const piece = new Uint8Array(count);
    for (let place = count - 1; place >= 0; place--, value >>= 8n) piece[place] = Number(value & 255n);
    bytes.push(...piece);
  }
  return Uint8Array.from(bytes);
}

function fromBase64url(code) {
  const damaged = () => new Error("This link is damaged or incomplete: its letters are not those of whole bytes.");
  let text;
  try {
    text = atob(code.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    throw damaged();
  }
  // The last letter may have bits that mean nothing; they must be 0.
  const again = btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  if (again !== code) throw damaged();
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

/** CRC-32 as in zip and PNG. */
function crc32(bytes) {
  let sum = -1;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
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

  /** `size` numbers in 8 bits: scale · (level - zero), rounded to float32 once. */
  levels(size) {
    const head = this.take(4);
    const view = new DataView(head.buffer, head.byteOffset);
    const [scale, zero] = [float16(view.getUint16(0, true)), view.getInt16(2, true)];
    if (!(scale >= 0 && Number.isFinite(scale))) throw broken("it has a scale that is not a number of 0 or more");
    return Float32Array.from(this.take(size), (level) => scale * (level - zero));
  }
}

function float16(bits) {
  const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -24 * fraction);
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

/** The tensors of the next block, with which its layer computes what the block says. */
function unfolded({ kind, size }, reader) {
  const found = Object.fromEntries(QUANTITIES[kind].map((name) => [name, reader.levels(size)]));
  if (kind >= 16 || !(kind & STATISTICS)) return found;
  const tensors = { running_mean: found.mean ?? new Float32Array(size) };
  if (kind & GAMMA) {
    tensors.gamma = found.factor;
    tensors.running_var = new Float32Array(size).fill(1 - EPSILON);
  } else {
    tensors.running_var = found.deviation.map((deviation) => Math.max(0, deviation * deviation - EPSILON));
  }
  if (kind & BETA) tensors.beta = found.shift ?? found.beta;
  return tensors;
}

function addTo(parts, tensors) {
  for (const [name, numbers] of Object.entries(tensors)) (parts[name] ??= []).push(numbers);
}

function joined(pieces) {
  const whole = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function ascii(bytes) {
  if (bytes.some((byte) => byte > 126)) throw broken("it names a network in letters that are not ASCII");
  return String.fromCharCode(...bytes);
}

/** `resnet-14 batchnorm digits epochs=20 seeds.init=7` as a spec. */
function readWords(line) {
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
