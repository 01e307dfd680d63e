/**
 * The light or dark theme: follows the system until the reader chooses; this browser stores the choice.
 *
 * Gradio sets the class `dark` on the body again when the system's theme changes; a stored choice overrides that.
 */

import { askedTheme } from "./frame.js";
import { get, set } from "./storage.js";

const KEY = "onlybn.theme";
const system = matchMedia("(prefers-color-scheme: dark)");

export const isDark = () => document.body.classList.contains("dark");

/** Switches the theme, and stores the choice only if it differs from the system's. */
export function toggle() {
  const dark = !isDark();
  set(KEY, dark === system.matches ? null : dark ? "dark" : "light");
  document.body.classList.toggle("dark", dark);
}

/** Calls `listener` after every change of the theme. */
export function onTheme(listener) {
  let dark = isDark();
  const observer = new MutationObserver(() => {
    if (isDark() !== dark) listener((dark = isDark()));
  });
  observer.observe(document.body, { attributes: true, attributeFilter: ["class"] });
}

/** The value of `name` in tokens.css in the present theme. */
export const token = (name) => getComputedStyle(document.body).getPropertyValue(`--${name}`).trim();

function restore() {
  const kept = askedTheme ?? get(KEY);
  document.body.classList.toggle("dark", kept ? kept === "dark" : system.matches);
}

system.addEventListener("change", restore);
restore();
