/**
 * The ways to open a network: a file, a link that was copied, or one of the examples that ship.
 */

import { h } from "../base/dom.js";

const EXAMPLES = [
  ["Only γ and β", "static/examples/1-batchnorm.safetensors"],
  ["As many random weights", "static/examples/2-random-2.safetensors"],
  ["Only the output layer", "static/examples/3-output.safetensors"],
];

/** `another`: whether a network is open already. */
export function welcome(openFile, another) {
  const file = h("input", { type: "file", id: "player-file", accept: ".safetensors" });
  file.addEventListener("change", () => file.files.length && openFile(file.files[0]));
  const text = h("input", { type: "text", id: "player-link", class: "search", autocomplete: "off", spellcheck: "false" });
  const paste = h(
    "form",
    {
      class: "actions",
      onsubmit: (event) => {
        event.preventDefault();
        const behind = text.value.trim().replace(/^[^#]*#/, "");
        if (behind) location.hash = behind;
      },
    },
    text,
    h("button", { class: "button" }, "Open"),
  );
  return h(
    "section",
    { class: "card player-open", "aria-labelledby": "open-title" },
    h("h2", { id: "open-title" }, another ? "Open another network" : "Open a network"),
    h(
      "div",
      { class: "player-drop" },
      h("p", {}, h("label", { for: "player-file" }, "A capsule: the file that every finished run offers. Choose it, or drop it on this page.")),
      file,
    ),
    h("p", {}, h("label", { for: "player-link" }, "A link that carries a network")),
    paste,
    h("p", {}, "Examples: digits, ResNet-14"),
    h("ul", { class: "actions" }, EXAMPLES.map(([title, url]) => h("li", {}, h("a", { class: "button small", href: `../../player/?url=${url}` }, title)))),
  );
}
