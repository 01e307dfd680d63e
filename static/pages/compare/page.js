/**
 * The page that compares runs. The address holds its whole state (view.js, app/views/comparison.py); curves and states
 * come through the feed, so that runs in progress stay up to date.
 */

import { rewrite } from "../../base/address.js";
import { ask } from "../../server/api.js";
import { datasetOf, policyOf, architectureTitle } from "../../server/catalog.js";
import { announce, h, show } from "../../base/dom.js";
import { Feed } from "../../server/feed.js";
import { save } from "../../base/files.js";
import { repeat } from "../../server/live.js";
import { embedded, figure } from "../../base/frame.js";
import { at } from "../../base/place.js";
import { shareButton } from "../../site/share.js";
import { onTheme } from "../../base/theme.js";
import { stateWord } from "../../base/widgets.js";
import { askedCard } from "./answers/asked.js";
import { curvesCard } from "./curves.js";
import { difference } from "./difference.js";
import { comparisonHtml } from "./document.js";
import { empty } from "./empty.js";
import { curvesOf, groupsOf } from "./groups.js";
import { questionCard } from "./answers/question.js";
import { packsLine } from "./packs.js";
import { scatterCard } from "./scatter.js";
import { comparedRuns } from "./table.js";
import { mayGrow, viewQuery } from "./view.js";

const GROWS_MS = 10_000;

export function mount(element) {
  document.title = "Compare · OnlyBN";
  const page = element.querySelector(".compare-page");
  const feed = new Feed();
  const watched = new Map();
  let state = null;
  let missing = [];

  const change = (patch) => {
    Object.assign(state.view, patch);
    write();
    if (state.view.metric === "disabled") feed.also("disabled");
    draw();
  };
  const remove = (id) => {
    const { source, view } = state;
    if (source.runs.length) source.runs = source.runs.filter((other) => other !== id);
    else source.without = [...source.without, id];
    if (view.base === id) view.base = null;
    missing = missing.filter((other) => other !== id);
    drop(id);
    write();
    announce("Removed.");
    draw();
  };
  let groups = [];
  const file = async () => {
    const tables = [rows, differences].map((card) => card.element.querySelector("table"));
    save("onlybn-comparison.html", await comparisonHtml(groups, state.view, scatter.drawn(), tables), "text/html");
  };
  const curves = curvesCard(() => state, change, remove, { "Whole page (HTML)": file });
  const scatter = scatterCard(change);
  const rows = comparedRuns(change, remove);
  const differences = difference();
  const packs = packsLine();
  const asked = questionCard();
  const title = h("h1", {}, "Compare");
  const own = askedCard((words) => (title.textContent = words));
  let question = null;
  const problems = h("div", { class: "compare-problems", role: "status" });
  const words = h("span");
  const reading = h("span", { role: "status" });
  const from = h("p", { class: "quiet compare-from", hidden: true }, words, reading);
  const add = h("a", { class: "button", href: "/runs" }, "Add runs");
  const cards = h("div", { class: "compare-cards", hidden: true }, curves.element, scatter.element, rows.element, differences.element, packs.element);
  const first = h("div");
  if (figure !== null) page.replaceChildren(h("h1", { class: "offscreen" }, "Runs compared"), problems, curves.element);
  else page.replaceChildren(
    h("div", { class: "compare-head" }, title, h("div", { class: "actions" }, embedded ? null : add, shareButton())),
    from,
    problems,
    first,
    asked.element,
    own.element,
    cards,
  );

  function write() {
    rewrite(viewQuery(state));
  }

  function drop(id) {
    feed.unwatch(id);
    watched.delete(id);
  }

  let queued = false;
  function draw() {
    if (queued) return;
    queued = true;
    requestAnimationFrame(() => {
      queued = false;
      render();
    });
  }

  function render() {
    const { source, view } = state;
    const members = [...watched.values()];
    const there = members.length + missing.length > 0;
    show(cards, there);
    if (!there && !first.children.length) first.append(empty());
    show(first, !there);
    show(from, there);
    words.textContent = there ? sourceWords(source, members.length) : "";
    add.href = at(`/runs${members.length ? `?compare=${members.map(({ id }) => id).join(",")}` : ""}`);
    const heard = members.filter((data) => data.heard).length;
    // In the same line, so that nothing below moves when it goes.
    reading.textContent = heard < members.length ? ` · loading curves: ${heard} of ${members.length}` : "";
    if (!there) return;
    groups = groupsOf(members, view.group).map((group) => curvesOf(group, view));
    asked.update(question, members, groups);
    curves.update(groups, view, missing);
    scatter.update(groups, view);
    rows.update(members, view, groups);
    differences.update(members, view);
    packs.update(members.map(({ run }) => run));
  }

  repeat(async () => {
    const answer = await ask(`/api/compare${location.search}`);
    if (!state) {
      state = { source: answer.source, view: answer.view, usual: answer.usual };
      problems.replaceChildren(...answer.problems.map((words) => h("p", { class: "note" }, words)));
      missing = answer.missing;
      if (state.source.study && figure === null) own.follow(state.source.study);
      if (state.view.question) {
        question = (await ask("/api/experiments")).find(({ name }) => name === state.view.question) ?? null;
        title.textContent = question?.sentence ?? title.textContent;
        curves.fold();
      }
    }
    for (const run of answer.runs) {
      if (watched.has(run.id) || state.source.without.includes(run.id)) continue;
      const data = feed.watch(run.id, { disabled: state.view.metric === "disabled" });
      data.run ??= run;
      data.addEventListener("change", draw);
      watched.set(run.id, data);
    }
    draw();
    return mayGrow(state.source) ? GROWS_MS : false;
  }, GROWS_MS);
  onTheme(() => state && draw());
}

/** The source of the runs in words. */
function sourceWords({ runs, study, text, tag, room, ...source }, count) {
  const many = `${count} ${count === 1 ? "run" : "runs"}`;
  if (runs.length) return many;
  if (study) return `${many} of study ${study}`;
  if (room) return `${many} of a room`;
  const said = {
    state: stateWord,
    policy: (name) => policyOf(name).title,
    architecture: architectureTitle,
    dataset: (name) => datasetOf(name).title,
  };
  const words = Object.entries(said).flatMap(([key, word]) => (source[key].length ? [source[key].map(word).join(" or ")] : []));
  return `${many}: ${[...words, ...(text ? [`“${text}” in name, id or tag`] : []), ...(tag ? [`tagged ${tag}`] : [])].join(" · ")}`;
}
