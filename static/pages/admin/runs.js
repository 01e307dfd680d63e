/**
 * All runs, also deleted ones, with what can be done with each. A row is made once and then updated in place.
 */

import { architectureTitle, datasetOf, policyOf } from "../../server/catalog.js";
import { h, show } from "../../base/dom.js";
import { since, when, whole } from "../../base/format.js";
import { badge } from "../../base/widgets.js";
import { actButton, nameOfManaged, pinRun, removeRun, restoreRun } from "./acts.js";
import { renameForm } from "./rename.js";

const PAGE = 25;
const TYPING_MS = 250;
const COLUMNS = ["State", "Run", "What", "Launched", "Kept", "Actions"];

/** `again()` refreshes the page. `address()`: what to ask for; `update({runs, total})` shows the answer. */
export function runsPanel(again) {
  const search = h("input", {
    class: "search",
    type: "search",
    placeholder: "Find by name or id",
    "aria-label": "Find by name or id",
    maxlength: 100, // the API's limit
  });
  const body = h("tbody");
  const nothing = h("p", { class: "quiet", hidden: true }, "No run matches.");
  const place = h("span", { class: "quiet" });
  const step = (title, by) => h("button", { type: "button", class: "button small", onclick: () => go(page + by) }, title);
  const [newer, older] = [step("Newer", -1), step("Older", 1)];
  const rows = new Map();
  let [page, timer] = [0, null];

  const go = (to) => {
    page = to;
    again();
  };
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => go(0), TYPING_MS);
  });
  const head = h("tr", {}, COLUMNS.map((title) => h("th", { scope: "col" }, title)));
  const element = h(
    "section",
    { class: "admin-runs", "aria-labelledby": "admin-runs" },
    h("h2", { id: "admin-runs" }, "Runs"),
    h("div", { role: "search", "aria-label": "Runs", class: "admin-row" }, search),
    nothing,
    h(
      "div",
      { class: "scroll card flush", tabindex: "0", role: "region", "aria-label": "Table of runs" },
      h("table", { class: "table" }, h("thead", {}, head), body),
    ),
    h("nav", { class: "pager", "aria-label": "Pages of runs" }, newer, place, older),
  );

  const address = () =>
    `/api/admin/runs?${new URLSearchParams({ limit: PAGE, offset: page * PAGE, text: search.value.trim() })}`;

  function update({ runs, total }) {
    const wanted = runs.map((run) => {
      if (!rows.has(run.id)) rows.set(run.id, row(run, again));
      rows.get(run.id).update(run);
      return rows.get(run.id);
    });
    for (const id of rows.keys()) if (!runs.some((run) => run.id === id)) rows.delete(id);
    if (wanted.some((one, at) => body.children[at] !== one) || body.children.length !== wanted.length) {
      const focused = document.activeElement;
      body.replaceChildren(...wanted);
      if (body.contains(focused)) focused.focus();
    }
    const last = Math.max(0, Math.ceil(total / PAGE) - 1);
    if (page > last) return go(last);
    const to = Math.min(total, (page + 1) * PAGE);
    show(nothing, total === 0);
    place.textContent = total ? `${whole(page * PAGE + 1)} to ${whole(to)} of ${whole(total)}` : "";
    newer.disabled = page === 0;
    older.disabled = page >= last;
  }
  return { element, address, update };
}

function row(run, again) {
  let now = run;
  const state = badge(run);
  const name = h("td", { class: "admin-name" });
  const kept = h("td", { class: "quiet" });
  const labelled = (words) => `${words} ${nameOfManaged(run)}`;
  const button = (words, act, style = "button small") => actButton(words, act, again, { style, label: labelled(words) });
  const rename = h("button", { type: "button", class: "button small", "aria-label": labelled("Rename") }, "Rename");
  const [pin, unpin] = [button("Pin", () => pinRun(now, true)), button("Unpin", () => pinRun(now, false))];
  const remove = button("Delete", () => removeRun(now, again), "button small danger");
  const restore = button("Restore", () => restoreRun(now));
  const what = [architectureTitle(run.architecture), policyOf(run.policy).title, datasetOf(run.dataset).title].join(" · ");
  const launched = h("td", { title: when(run.created_at) }, since(run.created_at));
  const buttons = h("div", { class: "admin-row" }, rename, pin, unpin, remove, restore);
  const element = h("tr", {}, h("td", {}, state), name, h("td", { class: "quiet" }, what), launched, kept, h("td", {}, buttons));

  const write = () => {
    const title = now.name ?? now.id;
    name.replaceChildren(now.removed_at ? h("s", {}, title) : h("a", { href: now.url }, title));
  };
  rename.addEventListener("click", () => {
    const done = () => {
      write();
      rename.focus();
    };
    const { form, focus } = renameForm(now, done, again);
    name.replaceChildren(form);
    focus(); // at once: what is typed next must not be lost
  });
  element.update = (fresh) => {
    const differs = fresh.name !== now.name || fresh.removed_at !== now.removed_at || !name.hasChildNodes();
    now = fresh;
    state.update({ ...fresh, cancel_requested: false });
    if (differs && !name.querySelector("form")) write();
    kept.textContent = keeping(fresh);
    swap(unpin, pin, fresh.pinned);
    swap(restore, remove, fresh.removed_at !== null);
    show(rename, fresh.removed_at === null);
  };
  return element;
}

/** Shows one of two buttons; the focus goes along. */
function swap(first, second, isFirst) {
  const [shown, hidden] = isFirst ? [first, second] : [second, first];
  const moves = document.activeElement === hidden;
  show(shown, true);
  show(hidden, false);
  if (moves) shown.focus();
}

function keeping({ pinned, removed_at, evicted_at, example }) {
  const parts = [removed_at && "deleted", example && "example", pinned && "pinned", evicted_at && "without curves and network"];
  return parts.filter(Boolean).join(", ");
}
