/**
 * Shows the page once it can stay as it is: the theme set, the style sheets there, and Gradio's components drawn.
 * Until then the head keeps it hidden (not longer than some seconds), so that nothing flashes and nothing jumps.
 */

import "../base/frame.js";
import "../base/theme.js";

/** What the last of Gradio's components to appear looks like, on the Train page and on the others. */
const LAST = location.pathname === "/" ? ["#launch", "#numbers input", ".site-footer"] : [".site-footer"];

const sheets = [...document.querySelectorAll('link[rel="stylesheet"][href^="/static/"]')];

function ready() {
  return sheets.every((link) => link.sheet) && LAST.every((part) => document.querySelector(part));
}

(function look() {
  if (ready()) document.documentElement.dataset.ready = "";
  else requestAnimationFrame(look);
})();
