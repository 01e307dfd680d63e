/** The About page: fills in its two figures, and the button that shares it. */

import { slot } from "../../base/dom.js";
import { shareButton } from "../../site/share.js";
import { counts } from "./counts.js";
import { feature } from "./feature.js";

export function mount(element) {
  slot(element, "head").append(shareButton());
  document.title = "About · OnlyBN";
  slot(element, "feature").append(feature());
  slot(element, "counts").append(counts());
}
