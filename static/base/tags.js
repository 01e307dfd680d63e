/**
 * The tags of a run, each a link to all runs that have it.
 */

import { h } from "./dom.js";

/** An element with the tags, which `update(tags)` changes. */
export function tagList(tags) {
  const element = h("span", { class: "tags" });
  let shown = null;
  element.update = (now) => {
    if (shown === now.join(" ")) return;
    shown = now.join(" ");
    element.replaceChildren(
      ...now.map((tag) => h("a", { class: "tag", href: `/runs?tag=${encodeURIComponent(tag)}`, title: `All runs tagged ${tag}` }, tag)),
    );
  };
  element.update(tags);
  return element;
}
