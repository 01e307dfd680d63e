/** The form as a link: its address is what it shows. */

import { copyButton, slot } from "../dom.js";

export function mount(element) {
  slot(element, "form-link").append(copyButton("Copy link to this form", () => location.href, "button small"));
}
