/**
 * The page's address, which holds the state of the view. Its parameters for a frame or a theme always stay, also in
 * links to other pages.
 */

import { at } from "./place.js";

/** Parameters that do not belong to a page itself: those of the frame (frame.js), and Gradio's. */
const FRAME = /^(embed|theme|figure|__.*)$/;

/** Characters that need no escape in an address, so that it stays readable. */
const PLAIN = { "%2C": ",", "%2F": "/", "%3A": ":", "%3B": ";" };

/** `query` (with or without "?") together with the frame's parameters of the current address, as "?a=b" or "". */
function framed(query) {
  const all = new URLSearchParams(query);
  for (const [key, value] of new URLSearchParams(location.search)) if (FRAME.test(key)) all.set(key, value);
  const text = all.toString().replace(/%2C|%2F|%3A|%3B/g, (code) => PLAIN[code]);
  return text && `?${text}`;
}

/** Writes `query` into the address without a step in the history. `hash`: "#place" or "". */
export function rewrite(query, hash = "") {
  history.replaceState(history.state, "", location.pathname + framed(query) + hash);
}

/** Opens another of our pages, within the frame if there is one. */
export function visit(address) {
  const { origin, pathname, search, hash } = new URL(at(address) ?? "", location.href);
  location.assign(origin + pathname + framed(search) + hash);
}

/** `address` as a page of its own, or for a frame with a theme ("": the reader's) and perhaps a figure. */
export function addressOf(address, frame = null) {
  const url = new URL(address);
  for (const key of ["embed", "theme", "figure"]) url.searchParams.delete(key);
  if (frame) url.searchParams.set("embed", "1");
  if (frame?.figure) url.searchParams.set("figure", frame.figure);
  if (frame?.theme) url.searchParams.set("theme", frame.theme);
  return url.href.replaceAll("%2C", ",");
}
