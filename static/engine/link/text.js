/**
 * The bytes of a link as the text behind `#` in an address: base64url, or decimal digits (docs/link.md).
 */

export const LARGEST = 100_000; // bytes of a link
const GROUP_BYTES = 22;
const GROUP_DIGITS = 53;

/** `content` in letters, digits, - and _. */
export function textOf(content) {
  const letters = Array.from(content, (byte) => String.fromCharCode(byte)).join("");
  return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The bytes of base64url, or of decimal digits. Throws an Error whose message is for a person. */
export function contentOf(text) {
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
  let letters;
  try {
    letters = atob(code.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    throw damaged();
  }
  const content = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
  // The last letter may have bits that mean nothing; they must be 0.
  if (textOf(content) !== code) throw damaged();
  return content;
}

/** CRC-32 as in zip and PNG. */
export function crc32(bytes) {
  let sum = -1;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}

/** All numbers of `parts`, typed arrays of `Kind`, in one. */
export function joined(parts, Kind = Uint8Array) {
  const whole = new Kind(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
