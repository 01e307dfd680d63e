/**
 * Shows the page once the theme is set, the style sheets are loaded and Gradio has drawn its components. Until then,
 * but for a few seconds at most, the head keeps the page hidden, so that nothing flashes or jumps.
 */

import "../base/frame.js";
import "../base/theme.js";

/** Selectors of the last elements that Gradio draws, on the Train page and on the others. */
const LAST = location.pathname === "/train" ? ["#launch", "#numbers input", ".site-footer"] : [".site-footer"];

const sheets = [...document.querySelectorAll('link[rel="stylesheet"][href^="/static/"]')];

function ready() {
  return sheets.every((link) => link.sheet) && LAST.every((part) => document.querySelector(part));
}

(function look() {
  if (ready()) document.documentElement.dataset.ready = "";
  else requestAnimationFrame(look);
})();
