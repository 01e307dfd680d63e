/**
 * A page within another site: `?embed=1` hides header and footer and opens links in a new tab; `&theme=light` or
 * `&theme=dark` sets the theme; `&figure=NAME` shows one figure without any button that changes something.
 */

import { addressOf } from "./address.js";

const query = new URLSearchParams(location.search);
const theme = query.get("theme");

export const embedded = query.get("embed") === "1";

/** The name of the one figure that a frame shows, which may be wrong; null: the whole page. */
export const figure = embedded ? query.get("figure") : null;

/** The theme that the frame asks for; null: the reader's. */
export const askedTheme = embedded && ["light", "dark"].includes(theme) ? theme : null;

if (embedded) {
  document.documentElement.dataset.embed = figure === null ? "" : "figure";
  document.addEventListener("click", ({ target }) => outside(target.closest?.("a[href]")), true);
}

/** Makes a link to another page open outside the frame. */
function outside(link) {
  if (!link || link.hasAttribute("download") || link.getAttribute("href").startsWith("#")) return;
  link.target = "_blank";
  link.rel = "noopener";
}

/** The line below a page in a frame: where the page comes from. `banner` says when the connection is lost. */
export function frameBar(banner) {
  const bar = document.createElement("footer");
  bar.className = "frame-bar panel-host";
  const link = document.createElement("a");
  link.textContent = "Open in OnlyBN";
  const point = () => (link.href = addressOf(location.href));
  for (const event of ["pointerenter", "focus", "pointerdown"]) link.addEventListener(event, point);
  point();
  bar.append(banner, link);
  return bar;
}
