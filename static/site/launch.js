/**
 * Buttons that launch runs: busy while they work, and with the server's reason if it refuses.
 */

import { visit } from "../base/address.js";
import { h, show } from "../base/dom.js";
import { allowance, guard } from "../server/allowance.js";
import { launchRun } from "../server/api.js";

/** Makes `button` launch all runs of a question and open the page that answers it; `message` shows errors. */
export function launches(button, message, { name, runs }) {
  guard(button, runs.length, (why) => showIn(message, why));
  let ids = []; // runs already launched: if the server refuses one, the next click continues from there
  button.addEventListener("click", () =>
    busy(button, message, async () => {
      // The next page draws a chart: its library comes while the server answers.
      document.head.append(h("link", { rel: "prefetch", href: "/static/plotly.min.js", as: "script" }));
      for (const spec of runs.slice(ids.length)) ids.push((await launchRun(spec, { question: name })).id);
      visit(`/compare?question=${name}&runs=${ids.map(encodeURIComponent).join(",")}`);
      ids = [];
    }),
  );
}

/** Runs `action()` while `button` is disabled; a refusal is shown in `message`. */
export async function busy(button, message, action) {
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

/** Shows `words` in the place `message`. */
export function showIn(message, words) {
  message.textContent = words;
  show(message, true);
}
