/**
 * Light or dark: follows the system until the reader chooses, and then keeps the choice in this browser.
 *
 * Gradio keeps the class `dark` on the body and sets it again when the system changes; a kept choice wins over that.
 */

import { askedTheme } from "./frame.js";
import { get, set } from "./storage.js";

const KEY = "onlybn.theme";
const system = matchMedia("(prefers-color-scheme: dark)");

export const isDark = () => document.body.classList.contains("dark");

/** Switches, and keeps the choice only where it differs from what the system says. */
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

/** What tokens.css calls `name`, in the present theme. */
export const token = (name) => getComputedStyle(document.body).getPropertyValue(`--${name}`).trim();

function restore() {
  const kept = askedTheme ?? get(KEY);
  document.body.classList.toggle("dark", kept ? kept === "dark" : system.matches);
}

system.addEventListener("change", restore);
restore();
