/**
 * The address of a training in the tab: its spec stands behind #, so a link to it needs no server.
 */

/** {...} -> #eyJ..., base64url of the JSON without what is null. */
export function toHash(spec) {
  const said = JSON.stringify(spec, (_, value) => value ?? undefined);
  const text = btoa(String.fromCharCode(...new TextEncoder().encode(said)));
  return `#${text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
}

/** The spec behind #; null if there is none. Throws an Error where it cannot be read. */
export function fromHash(hash) {
  if (hash.length < 2) return null;
  try {
    const text = atob(hash.slice(1).replaceAll("-", "+").replaceAll("_", "/"));
    const spec = JSON.parse(new TextDecoder().decode(Uint8Array.from(text, (letter) => letter.charCodeAt(0))));
    if (spec && typeof spec === "object" && typeof spec.architecture === "string") return spec;
  } catch {
    // said below
  }
  throw new Error("This link is damaged or incomplete: what stands behind its # is no spec.");
}

/** An id that is the same for the same complete spec. */
export function idOf(spec) {
  let sum = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(JSON.stringify(spec))) sum = BigInt.asUintN(64, (sum ^ BigInt(byte)) * 0x100000001b3n);
  return `tab-${sum.toString(16).padStart(16, "0")}`;
}
