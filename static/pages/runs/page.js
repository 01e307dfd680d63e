/**
 * The page of all runs: queue and history as a table, where the reader chooses runs to compare. The URL holds the
 * choice, the filters and the order, so that every view is a link.
 */

import { rewrite } from "../../base/address.js";
import { ask, Refusal } from "../../server/api.js";
import { isOver, isRunId } from "../../server/catalog.js";
import { h, show } from "../../base/dom.js";
import { frozen } from "../../base/place.js";
import { keptRules, keptWords } from "../../server/kept.js";
import { repeat } from "../../server/live.js";
import { offerUndo } from "../../site/removal.js";
import { shareButton } from "../../site/share.js";
import { chosenBar, MAX_CHOSEN } from "./chosen.js";
import { FILTERS, filters, MORE } from "./filters.js";
import { pinnedRuns } from "./pinned.js";
import { ownQueue } from "./queue.js";
import { table } from "./table.js";
import { workersLine } from "./workers.js";

const PAGE = 25;
const LAST_PAGE = 1_000_000; // keeps the offset below the API's limit of 2^31 runs
const EVERY_MS = 2000;
const USUAL = { sort: "created_at", order: "desc", page: "1" };
const KEYS = [...FILTERS, ...MORE, "sort", "order", "page"];

export function mount(element) {
  const page = element.querySelector(".runs-page");
  document.title = "Runs · OnlyBN";
  const view = read();
  const chosen = new Set(view.compare);
  let matching = 0;

  const change = (patch) => {
    Object.assign(view, "page" in patch ? patch : { ...patch, page: "1" });
    write(view, chosen);
    bar.update(view, matching);
    list.wake();
  };
  const choose = (id, on) => {
    if (on && chosen.size >= MAX_CHOSEN) return false;
    if (on) chosen.add(id);
    else chosen.delete(id);
    write(view, chosen);
    bar.update(view, matching);
    rows.mark();
    return true;
  };
  const clear = () => {
    chosen.clear();
    write(view, chosen);
    bar.update(view, matching);
    rows.mark();
  };

  const known = new Map();
  const changed = () => {
    write(view, chosen);
    bar.update(view, matching);
    rows.mark();
    list.wake();
  };
  const bar = chosenBar(chosen, known, clear, changed);
  const rows = table(view, chosen, { change, choose, size: PAGE });
  const queue = ownQueue(() => list.wake());
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  page.replaceChildren(
    h("div", { class: "page-head" }, h("h1", {}, "Runs"), shareButton()),
    ...(frozen ? [] : [...workersLine(), keptLine()]),
    pinnedRuns(),
    frozen ? "" : queue.element,
    filters(view, change),
    bar.element,
    problem,
    rows.element,
  );
  bar.update(view, matching);

  /** Shows why the link's view is impossible. If the server cannot be reached, the clock tries again. */
  const refused = (refusal) => {
    if (!(refusal instanceof Refusal) || refusal.passing) throw refusal;
    problem.textContent = refusal.message;
    rows.fill([], null);
    return null;
  };

  const list = repeat(async () => {
    const answer = await ask(`/api/runs?${query(view)}`).catch(refused);
    show(problem, !answer);
    if (!answer) return false;
    const { runs, unreadable, total } = answer;
    matching = total;
    for (const run of [...runs, ...unreadable]) known.set(run.id, run);
    queue.look(runs);
    bar.update(view, total);
    const last = Math.max(1, Math.ceil(total / PAGE));
    if (Number(view.page) > last) return change({ page: String(last) }); // change() wakes this task
    rows.fill(runs, total, unreadable);
    return runs.some((run) => !isOver(run));
  }, EVERY_MS);
  offerUndo(() => list.wake());
}

/** How long runs are kept here; hidden where nothing is deleted. */
function keptLine() {
  const element = h("p", { class: "quiet kept-words", hidden: true });
  keptRules().then((rules) => {
    element.textContent = keptWords(rules);
    show(element, element.textContent !== "");
  });
  return element;
}

function query(view) {
  const query = new URLSearchParams({
    limit: PAGE,
    offset: (Number(view.page) - 1) * PAGE,
    sort: view.sort,
    order: view.order,
  });
  for (const key of [...FILTERS, ...MORE]) if (view[key]) query.set(key, view[key]);
  return query;
}

/** The view in the URL. */
function read() {
  const given = new URLSearchParams(location.search);
  const view = Object.fromEntries(KEYS.map((key) => [key, given.get(key) ?? USUAL[key] ?? ""]));
  view.page = String(Math.min(LAST_PAGE, Math.max(1, Math.trunc(Number(view.page)) || 1)));
  return { ...view, compare: (given.get("compare") ?? "").split(",").filter(isRunId).slice(0, MAX_CHOSEN) };
}

function write(view, chosen) {
  const query = new URLSearchParams();
  if (chosen.size) query.set("compare", [...chosen].join(","));
  for (const key of KEYS) if (view[key] && view[key] !== USUAL[key]) query.set(key, view[key]);
  rewrite(query);
}
