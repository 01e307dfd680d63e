/**
 * What a form was copied from: a link to the form leaves it for the page that it opens, in this tab.
 */

import { tab } from "../base/storage.js";

const COPIED = "onlybn.copied";

/** Makes `link`, which opens the form, leave `words` there: what it has been filled in from. */
export function leaves(link, words) {
  link.addEventListener("click", () => tab.set(COPIED, words));
  return link;
}

/** The words that the link to this page has left, or null; they are handed out once. */
export function takeCopied() {
  const words = tab.get(COPIED);
  tab.set(COPIED, null);
  return words;
}
