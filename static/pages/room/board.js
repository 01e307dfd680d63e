/**
 * Everybody's runs: one chart of all, and a list by nickname. The chart is that of the comparison, in a frame.
 */

import { h, show } from "../../base/dom.js";
import { percent } from "../../base/format.js";
import { badge, standing } from "../../base/widgets.js";
import { isOver, nameOf } from "../../server/catalog.js";
import { Feed } from "../../server/feed.js";

const FEW = 12; // rows before the list is folded

export function board(id) {
  const feed = new Feed();
  const watched = new Map();
  const nothing = h("p", { class: "quiet" }, "No run yet. Whoever joins can launch the first one.");
  const frame = h("iframe", { class: "room-chart", title: "Curves of everybody’s runs", loading: "lazy", hidden: true });
  const list = h("ol", { class: "room-runs" });
  const link = h("a", { class: "button small", href: `/compare?room=${id}&group=run` }, "Compare in full");
  const rest = h("button", { type: "button", class: "button small", hidden: true, onclick: () => list.classList.add("all") });
  const element = h("section", { class: "card room-board", "aria-label": "Board" }, h("div", { class: "overlay-head" }, h("h2", {}, "Board"), link), nothing, frame, list, rest);

  function row(data, nickname) {
    const state = badge(data.run);
    const words = h("span", { class: "quiet" });
    const name = h("a", { href: data.run.url });
    const who = h("b", {}, nickname ?? "someone who left");
    const made = h("li", {}, who, name, state, words);
    made.update = (now) => {
      state.update(data.run);
      if (name.textContent !== nameOf(data.run)) name.textContent = nameOf(data.run);
      const text = isOver(data.run) ? percent(data.run.result?.top1 ?? data.run.top1) : standing(data.run);
      if (words.textContent !== text) words.textContent = text;
      if (now !== undefined && who.textContent !== (now ?? "someone who left")) who.textContent = now ?? "someone who left";
    };
    return made;
  }

  return {
    element,
    update({ runs }) {
      show(nothing, !runs.length);
      show(link, runs.length > 0);
      show(frame, runs.length > 0);
      if (runs.length && !frame.src) frame.src = `/compare?room=${id}&group=run&embed=1&figure=curves`;
      for (const { id: run, nickname } of runs) {
        if (watched.has(run)) {
          watched.get(run).row?.update(nickname);
          continue;
        }
        const data = feed.watch(run);
        const entry = { row: null };
        watched.set(run, entry);
        data.addEventListener("change", () => {
          if (data.missing) return entry.row?.remove();
          if (!entry.row) {
            entry.row = row(data, nickname);
            place();
          }
          entry.row.update();
        });
      }
      place();
      function place() {
        const wanted = runs.map(({ id: run }) => watched.get(run)?.row).filter(Boolean);
        if (wanted.length !== list.children.length || wanted.some((one, at) => list.children[at] !== one)) list.replaceChildren(...wanted);
        show(rest, wanted.length > FEW && !list.classList.contains("all"));
        rest.textContent = `Show all ${wanted.length}`;
      }
    },
  };
}
