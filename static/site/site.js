/**
 * The header of all pages: the current page, the server's state, the theme, and the banner for a lost connection.
 */

import { isAdmin } from "../server/admin.js";
import { ask } from "../server/api.js";
import { h, s, show } from "../base/dom.js";
import { connection, repeat } from "../server/live.js";
import { embedded, frameBar } from "../base/frame.js";
import { at, frozen, page } from "../base/place.js";
import { isDark, onTheme, toggle } from "../base/theme.js";

const PATHS = {
  sun: "M12 4V2m0 20v-2m8-8h2M2 12h2m13.7-5.7 1.4-1.4M4.9 19.1l1.4-1.4m0-11.4L4.9 4.9m14.2 14.2-1.4-1.4M16 12a4 4 0 1 1-8 0 4 4 0 0 1 8 0Z",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5Z",
};

/** Pages without a place of their own in the header, and where they belong. */
const BELONGS = { "/run": "/runs", "/surgery": "/runs", "/tasks": "/compare", "/room": "/train" };

export function mount(element) {
  import("./term.js");
  import("../base/menus.js");
  if (embedded) return document.body.append(frameBar(lostBanner()));
  const keys = import("./keys.js"); // listens as soon as it is loaded
  if (!frozen) adminLink(element.querySelector("nav"));
  const more = moreMenu(keys, element.querySelectorAll("nav a"));
  element.querySelector(".skip").addEventListener("click", skip);
  element.querySelector(".site-side").append(frozen ? "" : status(), helpButton(keys), themeButton(), more);
  for (const link of element.querySelectorAll("nav a, .site-more a")) {
    const to = link.getAttribute("href");
    if (to === at(page)) link.setAttribute("aria-current", "page");
    else if (BELONGS[page] && to === at(BELONGS[page])) link.setAttribute("aria-current", "true");
  }
  element.querySelector(".site-header").append(lostBanner());
}

/** Moves the focus to the heading of the page, past the header. */
function skip(event) {
  const heading = document.querySelector("h1");
  if (!heading) return;
  event.preventDefault();
  heading.tabIndex = -1;
  heading.focus();
}

/** A link to the admin's page, in a tab that has the admin token. */
function adminLink(nav) {
  const link = h("a", { class: "wide", href: "/admin", hidden: !isAdmin() }, "Admin");
  document.addEventListener("onlybn:admin", () => show(link, isAdmin()));
  nav.append(link);
}

const MODES = { paused: "Paused", drained: "Emptying" };

function status() {
  const dot = h("span", { class: "dot", "aria-hidden": "true" });
  const text = h("span");
  const pill = h("a", { class: "server", href: "/runs", hidden: true }, dot, text);
  const tell = ({ queued, running, workers, mode }) => {
    const busy = running || queued;
    dot.dataset.state = workers === 0 || mode === "paused" ? "off" : busy ? "busy" : "idle";
    text.replaceChildren(
      ...(MODES[mode] && workers
        ? [MODES[mode]]
        : workers === 0
        ? ["No worker"]
        : busy
          ? [`${running} running`, h("span", { class: "wide" }, ` · ${queued} queued`)]
          : ["Idle"]),
    );
    pill.title = `${running} running, ${queued} queued, ${workers} ${workers === 1 ? "worker" : "workers"}`;
    show(pill, true);
  };
  repeat(async () => {
    tell(await ask("/healthz"));
    return false; // the responses to panels ("onlybn:server") update it from now on
  });
  document.addEventListener("onlybn:server", ({ detail }) => tell(detail));
  return pill;
}

/** A button that opens the list of keys. */
function helpButton(keys) {
  return h(
    "button",
    {
      type: "button",
      class: "icon-button wide",
      "aria-label": "Shortcuts and help",
      title: "Shortcuts and help (?)",
      onclick: async () => (await keys).sheet(),
    },
    "?",
  );
}

/** A menu for what does not fit into the header on a phone; `wide` are links of the header. */
function moreMenu(keys, pages) {
  const line = (y) => s("path", { d: `M4 ${y}h16`, stroke: "currentColor", "stroke-width": "1.8", "stroke-linecap": "round" });
  const icon = s("svg", { viewBox: "0 0 24 24", width: 18, height: 18, "aria-hidden": "true" }, line(7), line(12), line(17));
  const summary = h("summary", { class: "icon-button", "aria-label": "More pages and help" }, icon);
  const help = h("button", { type: "button" }, "Shortcuts and help");
  help.addEventListener("click", async () => {
    summary.focus(); // the focus returns here when the dialog closes
    menu.open = false;
    (await keys).sheet();
  });
  const copies = [...pages].map((link) =>
    h("a", { href: link.getAttribute("href"), class: link.classList.contains("wide") ? null : "narrow" }, link.textContent),
  );
  const links = h("div", {}, copies, help, isSignedIn() ? h("a", { href: "/sign-out" }, "Sign out") : "");
  const menu = h("details", { class: "menu site-more" }, summary, links);
  return menu;
}

/** Whether somebody signed in here. The session itself is in a cookie that no script can read. */
const isSignedIn = () => document.cookie.split("; ").includes("onlybn_signed_in=1");

function themeButton() {
  const path = s("path", {
    fill: "none",
    stroke: "currentColor",
    "stroke-width": "1.8",
    "stroke-linecap": "round",
    "stroke-linejoin": "round",
  });
  const button = h(
    "button",
    { type: "button", class: "icon-button theme-button", onclick: toggle },
    s("svg", { viewBox: "0 0 24 24", width: 18, height: 18, "aria-hidden": "true" }, path),
  );
  const draw = () => {
    const label = isDark() ? "Switch to light" : "Switch to dark";
    path.setAttribute("d", isDark() ? PATHS.sun : PATHS.moon);
    button.setAttribute("aria-label", label);
    button.title = label;
  };
  draw();
  onTheme(draw);
  return button;
}

/** A banner that says why nothing new comes: the server cannot be reached, or it had too many requests and we wait. */
function lostBanner() {
  const banner = h("p", { class: "lost", role: "status", "aria-live": "polite" });
  let clock = null;
  connection.addEventListener("change", () => {
    clearInterval(clock);
    if (connection.lost) banner.textContent = "Reconnecting… Runs continue without this page.";
    else if (connection.waits_until) count(banner);
    else banner.textContent = "";
  });
  /** Counts the seconds down for sighted readers only: a screen reader hears the number once. */
  function count(banner) {
    const left = () => Math.max(0, Math.ceil((connection.waits_until - performance.now()) / 1000));
    const words = (seconds) => `Too many requests: this page resumes in ${seconds} s. Runs continue without it.`;
    const seen = h("span", { "aria-hidden": "true" }, words(left()));
    banner.replaceChildren(h("span", { class: "offscreen" }, words(left())), seen);
    clock = setInterval(() => (seen.textContent = words(left())), 1000);
  }
  return banner;
}
