/**
 * A page within another site: `?embed=1` leaves out header and footer, opens links in a tab of their own, and takes
 * the theme that `&theme=light` or `&theme=dark` says.
 */

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

/** `search`, a page's new query, with what keeps it a page in a frame. */
export function framed(search) {
  if (!embedded) return search;
  const kept = new URLSearchParams(search);
  kept.set("embed", "1");
  if (askedTheme) kept.set("theme", askedTheme);
  return `?${kept.toString().replaceAll("%2C", ",")}`;
}

/** `address` as a page of its own, or in a frame with a theme ("": the reader's). */
export function addressOf(address, frame = null) {
  const url = new URL(address);
  for (const key of ["embed", "theme"]) url.searchParams.delete(key);
  if (frame) url.searchParams.set("embed", "1");
  if (frame?.theme) url.searchParams.set("theme", frame.theme);
  return url.href.replaceAll("%2C", ",");
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
