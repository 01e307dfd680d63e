/**
 * Menus (`details.menu`) of every page. Only one is open at a time, Escape or a click elsewhere closes it, the focus
 * returns to its button, and its content stays within the window.
 */

const MARGIN = 8; // pixels to the edge of the window
const OPEN = "details.menu[open]";

function close(menu) {
  if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
  menu.open = false;
}

/** Moves the content of `menu` sideways if it would leave the window. */
function fit(menu) {
  const shown = menu.querySelector("summary ~ *");
  if (!shown) return;
  shown.style.translate = "none";
  const { left, right } = shown.getBoundingClientRect();
  const over = right - (document.documentElement.clientWidth - MARGIN);
  const by = left < MARGIN ? MARGIN - left : over > 0 ? -Math.min(over, left - MARGIN) : 0;
  shown.style.translate = by ? `${by}px` : "none";
}

document.addEventListener(
  "toggle",
  ({ target }) => {
    if (!target.matches?.(OPEN)) return;
    for (const other of document.querySelectorAll(OPEN)) if (other !== target) other.open = false;
    fit(target);
  },
  true, // capture, because this event does not bubble
);
for (const left of ["pointerdown", "focusin"])
  document.addEventListener(left, ({ target }) => {
    for (const menu of document.querySelectorAll(OPEN)) if (!menu.contains(target)) menu.open = false;
  });
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && !document.querySelector("dialog[open]") && document.querySelector(OPEN);
  if (menu) close(menu);
});
addEventListener("resize", () => document.querySelectorAll(OPEN).forEach(fit));
