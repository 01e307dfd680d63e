/**
 * A page within another site: `?embed=1` leaves out header and footer, opens links in a tab of their own, and takes
 * the theme that `&theme=light` or `&theme=dark` says.
 */

import { addressOf } from "./address.js";

const query = new URLSearchParams(location.search);
const theme = query.get("theme");

export const embedded = query.get("embed") === "1";

/** The theme that the frame wants; null: that of the reader. */
export const askedTheme = embedded && ["light", "dark"].includes(theme) ? theme : null;

if (embedded) {
  document.documentElement.dataset.embed = "";
  document.addEventListener("click", ({ target }) => outside(target.closest?.("a[href]")), true);
}

/** A link that leads to another page leaves the frame. */
function outside(link) {
  if (!link || link.hasAttribute("download") || link.getAttribute("href").startsWith("#")) return;
  link.target = "_blank";
  link.rel = "noopener";
}

/** What stands below a page in a frame: where it comes from. `banner` says when the connection is lost. */
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
