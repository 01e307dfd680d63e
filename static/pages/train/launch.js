/**
 * Launching: the form's run, or the two example experiments. Leaves for the page where the run can be watched.
 */

import { visit } from "../../base/address.js";
import { launchRun } from "../../server/api.js";
import { options } from "../../server/catalog.js";
import { h, show, slot } from "../../base/dom.js";
import { toSpec } from "./form.js";

/** The Launch button was clicked: posts the form's spec and opens the run. */
export async function launch(keys, values) {
  const spec = toSpec(Object.fromEntries(keys.map((key, index) => [key, values[index]])));
  await busy(document.getElementById("launch"), slot(document, "launch-problem"), async () => {
    const { url } = await launchRun(spec);
    visit(url);
  });
}

/** The panel with the two examples: one button launches both and opens their comparison. */
export function mount(element) {
  // The next page will draw with Plotly; fetched now, it is there when the first point comes.
  document.head.append(h("link", { rel: "prefetch", href: "/static/plotly.min.js", as: "script" }));
  const button = slot(element, "examples");
  together(button, slot(element, "examples-problem"), options.examples);
  button.disabled = false; // A click before now would have been lost.
}

/** Lets `button` launch all of `specs` and open their comparison; refusals are said in `message`. */
export function together(button, message, specs) {
  let ids = []; // those of a click that the server stopped half-way: the next click goes on from there
  button.addEventListener("click", () =>
    busy(button, message, async () => {
      for (const spec of specs.slice(ids.length)) ids.push((await launchRun(spec)).id);
      visit(`/compare?runs=${ids.map(encodeURIComponent).join(",")}`);
      ids = [];
    }),
  );
}

/** Marks the Launch button as unusable while the server refuses the form's spec. */
document.addEventListener("onlybn:valid", ({ detail: valid }) => {
  const button = document.getElementById("launch");
  if (button) button.disabled = !valid;
});

async function busy(button, message, action) {
  if (button.getAttribute("aria-busy") === "true") return;
  const release = () => {
    button.disabled = false;
    button.removeAttribute("aria-busy");
  };
  button.setAttribute("aria-busy", "true");
  button.disabled = true;
  show(message, false);
  try {
    await action();
    // The page is left now; if the browser brings it back as it was, the button must work again.
    addEventListener("pageshow", release, { once: true });
  } catch (refusal) {
    message.textContent = refusal.message;
    show(message, true);
    release();
  }
}
