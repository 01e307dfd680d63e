/** The form as a link: its address is what it shows. */

import { slot } from "../../base/dom.js";
import { shareButton } from "../../site/share.js";

export function mount(element) {
  slot(element, "form-link").append(shareButton("Share this form", "button small"));
}
