/**
 * Files that a page makes itself: text, pictures of charts, and the menu that offers them.
 */

import { h } from "./dom.js";

/** Downloads `content` (text, a data URL, or bytes) as a file. */
export function save(name, content, kind) {
  const url = typeof content === "string" && content.startsWith("data:") ? content : URL.createObjectURL(new Blob([content], { type: kind }));
  const link = h("a", { href: url, download: name, class: "offscreen" });
  document.body.append(link);
  link.click();
  link.remove();
  if (url !== content) setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** A menu of files: {title: function that makes and saves it}. `description`: the full name if `label` is short. */
export function exportMenu(label, files, description = null) {
  const menu = h("details", { class: "menu" }, h("summary", { class: "button small", "aria-label": description }, label));
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const buttons = Object.entries(files).map(([title, make]) => {
    const button = h("button", { type: "button" }, title);
    button.addEventListener("click", async () => {
      problem.hidden = true;
      button.setAttribute("aria-busy", "true");
      try {
        await make();
        menu.open = false;
        menu.querySelector("summary").focus();
      } catch (error) {
        problem.textContent = `Could not create this file: ${error.message}`;
        problem.hidden = false;
      }
      button.removeAttribute("aria-busy");
    });
    return button;
  });
  menu.append(h("div", {}, buttons, problem));
  return menu;
}

/** Saves `chart` as a picture, "png" or "svg"; `changes` override parts of its layout. */
export async function savePicture(chart, format, name, changes) {
  save(`${name}.${format}`, await chart.image(format, changes));
}
