/** A copy button for each entry. */

import { copyButton } from "../../base/dom.js";

export function mount(element) {
  for (const box of element.querySelectorAll(".citation")) {
    const entry = box.querySelector("pre");
    box.append(copyButton("Copy", () => entry.textContent, "button small"));
  }
}
