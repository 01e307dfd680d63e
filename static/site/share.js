/**
 * Sharing a page: its link, the code that embeds it in another page, and the network itself. If the clipboard is forbidden, the text is
 * selected so that the reader can copy it by hand.
 */

import { addressOf } from "../base/address.js";
import { copyButton, h } from "../base/dom.js";
import { raised, sentence } from "../base/format.js";
import { embedded } from "../base/frame.js";
import { page } from "../base/place.js";
import { field } from "../base/widgets.js";
import { options } from "../server/catalog.js";

const THEMES = { "": "Match reader", light: "Light", dark: "Dark" };
/** What of a page can be embedded by itself, and its height in pixels; "" is the whole page. */
const PARTS = {
  "/run": { accuracy: ["Accuracy", 400], loss: ["Loss", 400], gamma: ["Histogram of γ", 400], disabled: ["Disabled features", 400], "": ["The whole page", 720] },
  "/compare": { curves: ["Curves and legend", 640], "": ["The whole page", 720] },
};
const WHOLE = { "": ["The whole page", 720] };
const A_ROW = 56; // letters; a phone shows fewer and scrolls
const MOST_ROWS = 4;

/** What this page's link opens, in words. */
const opens = () => options.pages.find(({ path }) => path === page)?.opens ?? "this page";

/**
 * A button that opens the dialog for the page in its present state; nothing in a frame, which is already shared.
 * `network()`: the trained network that can be shared itself: {run, edits}, or {capsule}, a function that gives the bytes
 * of its capsule or a promise of them; or null.
 */
export function shareButton(words = "Share", style = "button", network = () => null) {
  if (embedded) return "";
  return h("button", { type: "button", class: style, "aria-haspopup": "dialog", onclick: () => open(network()) }, words);
}

function open(network) {
  const address = addressOf(location.href);
  const link = field("Link", address, Math.min(MOST_ROWS, Math.ceil(address.length / A_ROW)));
  const code = field("Code for your page", "", 5);
  const theme = h(
    "select",
    { class: "select", "aria-label": "Theme of the embedded page" },
    Object.entries(THEMES).map(([value, title]) => h("option", { value }, title)),
  );
  const parts = PARTS[page] ?? WHOLE;
  const part = h(
    "select",
    { class: "select", "aria-label": "What to embed" },
    Object.entries(parts).map(([value, [title]]) => h("option", { value }, title)),
  );
  const write = () => (code.text.value = embedCode(address, theme.value, part.value, parts[part.value][1]));
  for (const choice of [theme, part]) choice.addEventListener("change", write);
  write();
  const sheet = h(
    "dialog",
    { class: "sheet panel-host", "aria-labelledby": "share-title" },
    h(
      "div",
      { class: "sheet-head" },
      h("h2", { id: "share-title" }, "Share this page"),
      h("button", { type: "button", class: "button small", onclick: () => sheet.close() }, "Close"),
    ),
    h("p", { class: "quiet" }, `The link opens ${opens()}. Viewers cannot change anything.`),
    link.element,
    copyButton("Copy link", () => link.text.value, "button small"),
    h("h3", {}, "Embed"),
    parts === WHOLE ? null : h("label", { class: "sheet-row" }, "Show ", part),
    h("label", { class: "sheet-row" }, "Theme ", theme),
    code.element,
    copyButton("Copy code", () => code.text.value, "button small"),
    network && networkPart(network),
  );
  sheet.addEventListener("close", () => sheet.remove());
  sheet.addEventListener("click", ({ target }) => target === sheet && sheet.close());
  document.body.append(sheet);
  sheet.showModal();
  link.text.focus();
  link.text.select();
  link.text.scrollTop = 0;
}

/** The network; its link is made when the reader opens this part. */
function networkPart({ run, edits, capsule }) {
  const inside = h("div", { class: "sheet-part", role: "status" }, h("p", { class: "quiet" }, "Packing the network…"));
  const part = h("details", { class: "sheet-network" }, h("summary", {}, "The network itself"), inside);
  const load = async () => {
    try {
      inside.replaceChildren(...(capsule ? await here(capsule) : await there(run, edits)));
    } catch (refusal) {
      inside.replaceChildren(h("p", { class: "problem", role: "alert" }, sentence(raised(refusal.message))));
      part.addEventListener("toggle", load, { once: true }); // closing and opening it asks again
    }
  };
  part.addEventListener("toggle", load, { once: true });
  return part;
}

// Loaded late, since most readers never open it.
const there = async (run, edits) => (await import("./network.js")).networkContents(run, edits);
const here = async (capsule) => (await import("./network_here.js")).networkHere(await capsule());

/** An iframe with the page at `address`, or with one `figure` of it. */
function embedCode(address, theme, figure, height) {
  const source = addressOf(address, { theme, ...(figure ? { figure } : {}) }).replaceAll("&", "&amp;").replaceAll('"', "&quot;");
  const title = document.title.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
  return `<iframe src="${source}" title="${title}" width="100%" height="${height}" loading="lazy" style="border: 0"></iframe>`;
}
