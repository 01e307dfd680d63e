/**
 * Progress in the title and the icon of the tab, also while it is hidden, and a notification at the end for those who
 * want one.
 */

import { h, show } from "../base/dom.js";
import { percent } from "../base/format.js";
import { at } from "../base/place.js";
import { get, set } from "../base/storage.js";
import { toast } from "../base/toast.js";

const WANTED = "onlybn.notify";
const ICON = at("/static/favicon.svg");
const ROUND = 75.4; // the circumference of a circle with radius 12

let was = null; // the state of the last call: true while something went on
let unseen = false; // it ended while nobody looked
let heading = "";

/** `share`: 0..1, null when all is over. `title`: of the page. `done`: what a notification says at the end. */
export function tellProgress({ share, title, done }) {
  heading = title;
  const going = share !== null;
  if (was && !going) ended(title, done);
  was = going;
  icon(share);
  document.title = `${going ? `${percent(share, 0)} · ` : unseen ? "✓ " : ""}${title} · OnlyBN`;
}

function ended(title, done) {
  unseen = document.hidden;
  if (!unseen || !wanted() || Notification.permission !== "granted") return;
  const note = new Notification(title, { body: done, icon: ICON, tag: location.href });
  note.addEventListener("click", () => {
    window.focus();
    note.close();
  });
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden || !unseen) return;
  unseen = false;
  document.title = `${heading} · OnlyBN`;
});

/** A ring that fills up; the usual icon when nothing goes on. */
function icon(share) {
  const link = document.querySelector('link[rel="icon"]');
  if (!link) return;
  const ring = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><circle cx="16" cy="16" r="12" fill="#171c24" stroke="#56616f" stroke-width="5"/><circle cx="16" cy="16" r="12" fill="none" stroke="#ff8a4c" stroke-width="5" stroke-dasharray="${(share * ROUND).toFixed(1)} ${ROUND}" transform="rotate(-90 16 16)"/></svg>`;
  const href = share === null ? ICON : `data:image/svg+xml,${encodeURIComponent(ring)}`;
  if (link.getAttribute("href") !== href) link.setAttribute("href", href);
}

const possible = () => "Notification" in window && window.isSecureContext && Notification.permission !== "denied";
const wanted = () => possible() && get(WANTED) === "yes";

/** A switch for notifications; `update(going)` shows it while something goes on, where the browser has them. */
export function notifySwitch() {
  const button = h("button", { type: "button", class: "text-button", hidden: true });
  const draw = () => {
    button.textContent = wanted() ? "You will be notified when it is done" : "Notify me when it is done";
    button.setAttribute("aria-pressed", String(wanted()));
  };
  button.addEventListener("click", async () => {
    if (wanted()) set(WANTED, null);
    else if ((await Notification.requestPermission()) === "granted") set(WANTED, "yes");
    else toast("Your browser does not allow notifications from this site.", { wrong: true });
    draw();
  });
  draw();
  button.update = (going) => show(button, going && possible());
  return button;
}
