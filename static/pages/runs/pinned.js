/**
 * The reader's pinned runs, above all others.
 */

import { ask, Refusal } from "../../server/api.js";
import { isOver, nameOf, titleOf } from "../../server/catalog.js";
import { h, show } from "../../base/dom.js";
import { runMark } from "../../base/mark.js";
import { repeat } from "../../server/live.js";
import { pin, pins } from "../../server/pins.js";
import { badge, standing } from "../../base/widgets.js";

const EVERY_MS = 5000;
const UNREADABLE = 409;

export function pinnedRuns() {
  const list = h("ul", { class: "pinned" });
  const element = h("section", { class: "pinned-runs", hidden: true }, h("h2", {}, "Pinned"), list);
  const entries = new Map();
  const drop = (id) => {
    pin(id, false);
    entries.get(id)?.remove();
    entries.delete(id);
    show(element, entries.size > 0);
  };
  repeat(async () => {
    const ids = pins();
    const runs = await Promise.all(ids.map((id) => ask(`/api/runs/${id}`).catch(unknown)));
    runs.forEach((run, index) => {
      const id = ids[index];
      if (!entries.has(id)) entries.set(id, run.refused === undefined ? entry(run, drop) : missing(id, run.refused, drop));
      entries.get(id).update(run);
    });
    list.replaceChildren(...ids.map((id) => entries.get(id)));
    show(element, ids.length > 0);
    return runs.some((run) => run.state && !isOver(run)) ? EVERY_MS : false;
  });
  return element;
}

/** Why a run cannot be shown. If the server cannot be reached, the clock tries again. */
function unknown(refusal) {
  if (!(refusal instanceof Refusal) || refusal.passing) throw refusal;
  return { refused: refusal.status === UNREADABLE };
}

function entry(run, drop) {
  const [state, where] = [badge(run), h("span", { class: "quiet" })];
  const link = h("a", { href: run.url, title: titleOf(run.spec) }, nameOf(run));
  const element = h("li", {}, link, runMark(run), state, where, removal(run.id, nameOf(run), drop));
  element.update = (now) => {
    if (!now.state) return;
    state.update(now);
    where.textContent = standing(now);
  };
  return element;
}

function missing(id, refused, drop) {
  const words = refused ? ["This version cannot read the run ", h("a", { href: `/run?id=${id}` }, id), "."] : `There is no run ${id} on this server.`;
  const element = h("li", {}, h("span", { class: "quiet" }, words), removal(id, id, drop));
  return Object.assign(element, { update() {} });
}

const removal = (id, name, drop) =>
  h("button", { type: "button", class: "icon-button", "aria-label": `Unpin ${name}`, onclick: () => drop(id) }, "×");
