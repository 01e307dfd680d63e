/**
 * Launches the form's run or the pair of example experiments, and opens the page that shows them.
 */

import { visit } from "../../base/address.js";
import { allowance, guard, modeWords } from "../../server/allowance.js";
import { launchRun } from "../../server/api.js";
import { options } from "../../server/catalog.js";
import { h, say, show, slot } from "../../base/dom.js";
import { toSpec } from "./form.js";

/** Handles a click on the Launch button: posts the form's spec and opens the run. */
export async function launch(keys, values) {
  const spec = toSpec(Object.fromEntries(keys.map((key, index) => [key, values[index]])));
  const problem = slot(document, "launch-problem");
  if (refusal()) return showIn(problem, refusal());
  await busy(document.getElementById("launch"), problem, async () => {
    const { url } = await launchRun(spec);
    visit(url);
  });
}

/** The panel with the two examples: one button launches both and opens their comparison. */
export function mount(element) {
  // The next page needs Plotly: fetch it now, so that it is there before the first point.
  document.head.append(h("link", { rel: "prefetch", href: "/static/plotly.min.js", as: "script" }));
  allowance.addEventListener("change", tellShare);
  const button = slot(element, "examples");
  together(button, slot(element, "examples-problem"), options.examples);
  button.disabled = false; // a click before now would have been lost
}

/** Makes `button` launch all of `specs` and open their comparison; `message` shows errors. */
export function together(button, message, specs) {
  guard(button, specs.length, (why) => showIn(message, why));
  let ids = []; // runs already launched: if the server refuses one, the next click continues from there
  button.addEventListener("click", () =>
    busy(button, message, async () => {
      for (const spec of specs.slice(ids.length)) ids.push((await launchRun(spec)).id);
      visit(`/compare?runs=${ids.map(encodeURIComponent).join(",")}`);
      ids = [];
    }),
  );
}

/** Disables the Launch button while the server refuses the form's spec. */
document.addEventListener("onlybn:valid", ({ detail: valid }) => {
  const button = document.getElementById("launch");
  if (button) button.disabled = !valid;
});

let tooDear = ""; // why the form's run costs more than this server allows

const refusal = () => tooDear || allowance.refusal();

document.addEventListener("onlybn:preview", ({ detail }) => {
  tooDear = detail.refusal ?? "";
  allowance.expect(Math.round(detail.price.disk_bytes));
  tellShare();
});

/** Says under the Launch button what is left of the visitor's share, or why nothing can be launched now. */
function tellShare() {
  const why = refusal();
  const mode = why ? "" : modeWords(allowance.value?.mode);
  const place = say(document, "launch-share", why || [mode, allowance.words()].filter(Boolean).join(" "));
  place.dataset.tone = why ? "refused" : mode ? "note" : "";
  show(place, place.textContent !== "");
  const button = document.getElementById("launch");
  button?.setAttribute("aria-disabled", String(Boolean(why)));
  button?.setAttribute("aria-describedby", "launch-share");
  if (button) button.title = why;
  if (!why) show(slot(document, "launch-problem"), false);
}

function showIn(message, words) {
  message.textContent = words;
  show(message, true);
}

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
    // The browser may restore this page from its cache later; then the button must work again.
    addEventListener("pageshow", release, { once: true });
  } catch (refusal) {
    showIn(message, refusal.message);
    allowance.wake();
    release();
  }
}
