/** The way to train the form's network in the tab, or why a tab cannot. */

import { h, say, slot } from "../../base/dom.js";
import { SHIPPED } from "../../engine/images.js";
import { obstacle } from "../../engine/spec.js";
import { toHash } from "../../server/tab.js";
import { current } from "./form.js";

export function mount(element) {
  const place = slot(element, "in-tab");
  const link = h("a", { class: "button" }, "Train in this tab");
  const why = h("span", { class: "quiet", "data-slot": "why" });
  place.append(link, why);
  const update = (spec) => {
    const { asked, words } = suited(spec);
    const reason = obstacle(asked);
    if (reason) link.removeAttribute("href");
    else link.setAttribute("href", `/tab${toHash(asked)}`);
    link.setAttribute("aria-disabled", String(Boolean(reason)));
    say(place, "why", reason || words);
  };
  document.addEventListener("onlybn:form", ({ detail }) => update(detail));
  if (current) update(current); // the form may have been there first
}

/** The spec with as many images as come with the page, where it asks for all of more. */
function suited(spec) {
  const shipped = SHIPPED[spec.dataset];
  const usual = "No queue: your browser trains it.";
  if (spec.dataset !== "fashion-mnist") return { asked: spec, words: usual };
  const asked = { ...spec, train_examples: spec.train_examples ?? shipped.train, test_examples: spec.test_examples ?? shipped.test };
  const fewer = spec.train_examples === undefined || spec.test_examples === undefined;
  return { asked, words: fewer ? `${usual} With ${shipped.train} images to train and ${shipped.test} to test, which come with the page.` : usual };
}
