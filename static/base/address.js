/**
 * The page's address, which shows what one looks at. Whoever shows the page in a frame, or in a theme, has said so in
 * it: that stays, whatever a page writes and wherever it leads.
 */

/** What is not a page's own: how it is shown (frame.js), and Gradio's. */
const FRAME = /^(embed|theme|__.*)$/;

/** Letters that an address may have as they are, which can be read then. */
const PLAIN = { "%2C": ",", "%2F": "/", "%3A": ":", "%3B": ";" };

/** `query` (with or without "?") and what the present address says of the frame, as "?a=b" or "". */
function framed(query) {
  const all = new URLSearchParams(query);
  for (const [key, value] of new URLSearchParams(location.search)) if (FRAME.test(key)) all.set(key, value);
  const text = all.toString().replace(/%2C|%2F|%3A|%3B/g, (code) => PLAIN[code]);
  return text && `?${text}`;
}

/** Shows `query` in the address, without a step in the history. `hash`: "#place" or "". */
export function rewrite(query, hash = "") {
  history.replaceState(history.state, "", location.pathname + framed(query) + hash);
}

/** Leaves for another of our pages, within the frame where there is one. */
export function visit(address) {
  const { origin, pathname, search, hash } = new URL(address, location.href);
  location.assign(origin + pathname + framed(search) + hash);
}

/** `address` as a page of its own, or in a frame with a theme ("": the reader's). */
export function addressOf(address, frame = null) {
  const url = new URL(address);
  for (const key of ["embed", "theme"]) url.searchParams.delete(key);
  if (frame) url.searchParams.set("embed", "1");
  if (frame?.theme) url.searchParams.set("theme", frame.theme);
  return url.href.replaceAll("%2C", ",");
}
