/** The form as a link: the page's address holds its values. */

import { slot } from "../../base/dom.js";
import { shareButton } from "../../site/share.js";

export function mount(element) {
  slot(element, "form-link").append(shareButton("Share this form", "button small"));
}
