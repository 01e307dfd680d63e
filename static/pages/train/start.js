/**
 * The start of the form's run: random values, the trained network of a run, or an uploaded file.
 *
 * The choice is part of the page's address, so a change opens the form again with all other values unchanged.
 */

import { visit } from "../../base/address.js";
import { ask, Refusal, upload } from "../../server/api.js";
import { nameOf } from "../../server/catalog.js";
import { h, show } from "../../base/dom.js";
import { toQuery } from "../../server/spec.js";
import { current } from "./form.js";

const SHOWN = 12;

/** Shows in `place` what the run starts from, and lets the reader choose. */
export function mountStart(place) {
  const words = h("span", {});
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const file = h("input", { type: "file", accept: ".safetensors", hidden: true, "aria-label": "File to start from" });
  const button = h("button", { type: "button", class: "button small" });
  let chosen = null;

  async function send() {
    const [content] = file.files;
    file.value = "";
    if (!content) return;
    show(problem, false);
    button.disabled = true;
    try {
      const { digest, architecture } = await upload("/api/starts", content);
      open(digest, architecture ? { architecture } : {});
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      problem.textContent = refusal.message;
      show(problem, true);
    }
    button.disabled = false;
  }

  function update(start) {
    if (JSON.stringify(start) === JSON.stringify(chosen) && button.textContent) return;
    chosen = start;
    button.textContent = chosen ? "Start from random values" : "Start from a file…";
    if (!chosen) words.replaceChildren("Starts from random values. ");
    else if (chosen.run) startsFromRun(words, chosen.run);
    else words.replaceChildren(`Starts from the file with SHA-256 ${chosen.slice(0, SHOWN)}…. `);
  }

  button.addEventListener("click", () => (chosen ? open(null) : file.click()));
  file.addEventListener("change", send);
  document.addEventListener("onlybn:form", ({ detail }) => update(detail.start ?? null));
  update(current?.start ?? null);
  place.append(h("div", { class: "start" }, h("p", { class: "quiet" }, words, button, file), problem));
}

/** `others`: further fields, such as the architecture that a file of torchvision's fits. */
const open = (start, others = {}) => visit(location.pathname + toQuery({ ...current, ...others, start }));

async function startsFromRun(words, id) {
  const link = h("a", { href: `/run?id=${encodeURIComponent(id)}` }, id);
  words.replaceChildren("Starts from the trained network of ", link, ". ");
  const run = await ask(`/api/runs/${encodeURIComponent(id)}`).catch(() => null);
  if (run) link.textContent = nameOf(run);
}
