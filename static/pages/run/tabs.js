/**
 * A card whose figure has several views, chosen by tabs. A view is loaded when the reader first opens it.
 */

import { dataFold } from "../../charts/numbers.js";
import { h, show } from "../../base/dom.js";
import { fileName, pictureMenu } from "./pictures.js";

const RETRY_MS = 3000;

let cards = 0;

/**
 * `views`: {key: {title, caption, load}}, where `load(box)` draws into the box once and promises the chart; `chosen()`
 * returns the present key, `choose(key)` changes it. Call `update()` after a change.
 */
export function tabbed(title, views, chosen, choose) {
  const id = `card-${(cards += 1)}`;
  const keys = Object.keys(views);
  const tabs = keys.map((key) =>
    h(
      "button",
      { type: "button", role: "tab", id: `${id}-${key}`, "aria-controls": `${id}-panel`, onclick: () => choose(key) },
      views[key].title,
    ),
  );
  const boxes = new Map();
  const charts = new Map();
  const caption = h("p", { class: "quiet" });
  const panel = h("div", { role: "tabpanel", id: `${id}-panel`, class: "tab-panel" });
  const list = h("div", { class: "tabs", role: "tablist", "aria-label": `${title}: views` }, tabs);
  list.addEventListener("keydown", (event) => {
    const at = keys.indexOf(chosen());
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: keys.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = (to + keys.length) % keys.length;
    choose(keys[next]);
    tabs[next].focus();
  });
  const whole = () => `${title}: ${views[chosen()].title}`;
  const fold = dataFold(
    whole,
    () => charts.get(chosen())?.table() ?? null,
    () => fileName(whole()),
  );
  const pictures = pictureMenu(
    title,
    () => charts.get(chosen()),
    () => views[chosen()].title,
  );
  const element = h(
    "figure",
    { "aria-label": title, class: "card chart" },
    h("figcaption", {}, h("div", { class: "tabs-head" }, h("h3", {}, title), h("div", { class: "tabs-side" }, list, pictures)), caption),
    panel,
    fold.element,
  );
  const update = () => {
    const key = chosen();
    keys.forEach((other, index) => {
      tabs[index].setAttribute("aria-selected", String(other === key));
      tabs[index].tabIndex = other === key ? 0 : -1;
      show(boxes.get(other), other === key);
    });
    panel.setAttribute("aria-labelledby", `${id}-${key}`);
    const words = views[key].caption();
    if (caption.textContent !== words) caption.textContent = words;
    fold.update();
    if (boxes.has(key)) return;
    const box = h("div", { class: "plot" });
    boxes.set(key, box);
    panel.append(box);
    views[key].load(box).then(
      (chart) => {
        charts.set(key, chart);
        chart.addEventListener("refresh", fold.update);
        fold.update();
      },
      () => {
        // The module could not be loaded because the server could not be reached.
        boxes.delete(key);
        box.remove();
        setTimeout(update, RETRY_MS);
      },
    );
  };
  update();
  return { element, update };
}
