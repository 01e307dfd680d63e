/**
 * Everybody's runs in one chart with its legend: that of the comparison, in a frame that is as high as its content.
 */

import { h, show } from "../../base/dom.js";

export function board(id) {
  const address = `/compare?room=${encodeURIComponent(id)}&group=run`;
  const nothing = h("p", { class: "quiet" }, "No run yet. Anyone who has joined can launch the first one.");
  const frame = h("iframe", { class: "room-chart", title: "Curves of everybody’s runs", hidden: true });
  const link = h("a", { class: "button small", href: address }, "Compare in full");
  const element = h("section", { class: "card room-board", "aria-label": "Board" }, h("div", { class: "overlay-head" }, h("h2", {}, "Board"), link), nothing, frame);
  frame.addEventListener("load", () => {
    const { body } = frame.contentDocument;
    const fit = () => (frame.style.height = `${body.scrollHeight}px`);
    new ResizeObserver(fit).observe(body.firstElementChild ?? body);
    fit();
  });
  return {
    element,
    update({ runs }) {
      show(nothing, !runs.length);
      show(link, runs.length > 0);
      show(frame, runs.length > 0);
      if (runs.length && !frame.src) frame.src = `${address}&embed=1&figure=curves`;
    },
  };
}
