/** The Findings page, which the server has written: adds the button that shares it. */

import { slot } from "../../base/dom.js";
import { shareButton } from "../../site/share.js";

export function mount(element) {
  slot(element, "head").append(shareButton());
  document.title = "Findings · OnlyBN";
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}
