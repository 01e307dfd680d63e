/** The About page: fills in its two figures. */

import { slot } from "../dom.js";
import { counts } from "./counts.js";
import { feature } from "./feature.js";

export function mount(element) {
  document.title = "About · OnlyBN";
  slot(element, "feature").append(feature());
  slot(element, "counts").append(counts());
}
