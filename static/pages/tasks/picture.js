/**
 * The card of the picture: its number in the test set, and how every task sees it. A click on a view shows that to the
 * network.
 */

import { h } from "../../base/dom.js";
import { whole } from "../../base/format.js";
import { canvasOf, fromBase64 } from "../../base/pixels.js";

let made = 0;

/** A labelled select of titles; `chosen(place)` gets the number of the choice. Returns {element, set}. */
export function choice(label, titles, chosen) {
  const id = `tasks-choice-${(made += 1)}`;
  const box = h("select", { class: "select", id }, titles.map((title, place) => h("option", { value: place }, title)));
  box.addEventListener("change", () => chosen(Number(box.value)));
  return { element: h("div", { class: "tasks-field" }, h("label", { for: id }, label), box), set: (place) => (box.value = place) };
}

/** @param {import("./view.js").TasksView} view  `counts`: the test images of each task */
export function pictureCard(view, counts, classes) {
  const number = h("input", { type: "number", class: "search", min: 0, id: "tasks-image" });
  const name = h("label", { for: "tasks-image" });
  const label = h("p", { class: "tasks-label" });
  const views = h("div", { class: "task-views", role: "group", "aria-label": "The picture as each task sees it" });
  const last = () => counts[view.from] - 1;
  const step = (by) => view.change({ image: (((view.image + by) % (last() + 1)) + last() + 1) % (last() + 1) });
  number.addEventListener("change", () => view.change({ image: Math.min(Math.max(0, Math.round(Number(number.value)) || 0), last()) }));
  const from = choice("From the test images of", view.tasks.map(({ title }) => title), (place) =>
    view.change({ from: place, image: Math.min(view.image, counts[place] - 1) }),
  );
  const little = (words, onclick) => h("button", { type: "button", class: "button small", onclick }, words);
  const element = h(
    "section",
    { class: "card tasks-picture", "aria-labelledby": "tasks-picture-title" },
    h("h2", { id: "tasks-picture-title" }, "One picture, as each task sees it"),
    h(
      "div",
      { class: "tasks-fields" },
      h(
        "div",
        { class: "tasks-field" },
        name,
        h(
          "div",
          { class: "actions" },
          little("Previous", () => step(-1)),
          number,
          little("Next", () => step(1)),
          little("Any", () => step(1 + Math.floor(Math.random() * last()))),
        ),
      ),
      from.element,
    ),
    views,
    label,
  );

  function update() {
    number.value = view.image;
    number.max = last();
    name.textContent = `Image number (0 to ${whole(last())})`;
    from.set(view.from);
    for (const [place, button] of [...views.children].entries()) button.setAttribute("aria-pressed", String(place === view.seen));
  }

  /** Shows the pictures of Looks.picture(). */
  function draw(found) {
    const kept = document.activeElement?.closest?.(".task-view") ? [...views.children].indexOf(document.activeElement) : -1;
    views.replaceChildren(
      ...view.tasks.map(({ title, task }, place) => {
        const canvas = canvasOf(fromBase64(found.views[task]), found.shape);
        canvas.setAttribute("aria-hidden", "true");
        return h("button", { type: "button", class: "task-view", onclick: () => view.change({ seen: place }) }, canvas, h("span", {}, title));
      }),
    );
    views.children[kept]?.focus();
    label.replaceChildren("Label: ", h("strong", {}, classes[found.label]), ". The network gets the picture that is marked.");
    update();
  }

  update();
  view.addEventListener("change", update);
  return { element, draw };
}
