/** The form as a link: its address is what it shows. */

import { slot } from "../dom.js";
import { shareButton } from "../share/share.js";

export function mount(element) {
  slot(element, "form-link").append(shareButton("Share this form", "button small"));
}
