/**
 * The page of several tasks over one random network: flips their γ and β over one picture, and compares what each
 * switched off.
 */

import { announce, h, show } from "../../base/dom.js";
import { bytes, raised, sentence, whole } from "../../base/format.js";
import { ask } from "../../server/api.js";
import { datasetOf, isRunId, taskTitle } from "../../server/catalog.js";
import { progressWords } from "../../server/evaluation.js";
import { repeat } from "../../server/live.js";
import { shareButton } from "../../site/share.js";
import { flipCard } from "./flip.js";
import { Looks } from "./looks.js";
import { overlapCard } from "./overlap.js";
import { pictureCard } from "./picture.js";
import { TasksView } from "./view.js";

const TITLE = "One random network, many tasks";
const OFFERED = 100;

export function mount(element) {
  document.title = `${TITLE} · OnlyBN`;
  const page = element.querySelector(".tasks-page");
  const ids = (new URLSearchParams(location.search).get("runs") ?? "").split(",").filter(isRunId);
  repeat(async () => {
    try {
      page.replaceChildren(...(ids.length ? await load(ids) : [await choose()]));
    } catch (refusal) {
      if (refusal.passing) throw refusal; // the page's clock tries again
      page.replaceChildren(blank("No tasks to show", sentence(raised(refusal.message)), []));
    }
    return false;
  });
}

const packsOf = async (ids) => (await ask(`/api/packs?runs=${ids.join(",")}`)).packs;

/** The packs that the newest finished runs make. */
async function choose() {
  const { runs } = await ask(`/api/runs?state=finished&limit=${OFFERED}`);
  const packs = runs.length ? await packsOf(runs.map(({ id }) => id)) : [];
  if (!packs.length) return blank(TITLE, "Nothing here yet: this needs two finished runs that differ only in the task, under a policy that trains γ and β. Launch one as it is, and one with another task.", []);
  return blank(TITLE, "Choose tasks that share their random network:", packs);
}

async function load(ids) {
  const packs = await packsOf(ids);
  if (!packs.length) return [blank("These runs make no pack", "A pack needs two finished runs with the same random weights (architecture, normalisation, initialisation, replicate) and different tasks, which trained γ, β or the output layer and nothing else.", [])];
  const pack = { ...packs[0], tasks: shortened(packs[0].tasks) };
  const parameters = await Promise.all(pack.tasks.map(({ run }) => ask(`/api/runs/${run}/parameters`)));
  if (!parameters[0].layers.length) return [blank("Nothing to flip", "The norm layers of this network have no γ and β.", [])];
  return [head(pack, ids.length), ...cards(pack, parameters)];
}

/** The tasks with titles that leave the data set out where all have the same. */
function shortened(tasks) {
  const one = tasks.every(({ dataset }) => dataset === tasks[0].dataset);
  return tasks.map((row) => (one ? { ...row, title: taskTitle(row.task) } : row));
}

function head({ network, replicate, whole_bytes, tasks }, given) {
  const kept = tasks.map(({ kept_bytes }) => bytes(kept_bytes));
  const left = given > tasks.length ? ` ${whole(given - tasks.length)} of the runs in the link are not among them.` : "";
  const runs = tasks.map(({ run }) => run).join(",");
  const on = [...new Set(tasks.map(({ dataset }) => datasetOf(dataset).title))].join(" and ");
  return h(
    "header",
    { class: "tasks-head" },
    h("div", { class: "page-head" }, h("h1", {}, TITLE), h("div", { class: "actions" }, h("a", { class: "button", href: `/api/packs/file?runs=${runs}`, download: "" }, "Download pack"), shareButton())),
    h(
      "p",
      {},
      `${network} · ${on}, replicate ${replicate}: ${whole(tasks.length)} tasks over the same random weights. Each keeps ${[...new Set(kept)].join(" or ")} of its own; the whole network has ${bytes(whole_bytes)}.${left}`,
    ),
    h(
      "p",
      { class: "quiet" },
      "No task can forget: what it trained is stored apart, and the shared weights never change. ",
      h("code", {}, "python -m core capsule evaluate PACK"),
      " measures it on the downloaded pack. ",
      h("a", { href: `/compare?runs=${runs}&group=task` }, "Compare the runs"),
    ),
  );
}

function cards({ tasks }, parameters) {
  const view = new TasksView(tasks, parameters[0].layers, location.search);
  const words = h("p", { class: "quiet", role: "status" });
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const again = h("button", { type: "button", class: "button small", hidden: true, onclick: () => follow() }, "Try again");
  const picture = pictureCard(view, parameters.map(({ test_images }) => test_images), parameters[0].classes);
  const flip = flipCard(view, parameters, h("div", { class: "tasks-status" }, words, problem, again));
  const looks = new Looks(tasks, (evaluation) => (words.textContent = progressWords(evaluation)));
  let turn = 0;

  /** Asks for what the view shows, first with the chosen γ, then with the others; a later change ends it. */
  async function follow() {
    const mine = (turn += 1);
    for (const part of [problem, again]) show(part, false);
    flip.busy(true);
    try {
      const shown = await looks.picture({ ...view, layer: view.layers[0].name });
      if (mine !== turn) return;
      picture.draw(shown);
      const order = [view.gamma, ...tasks.keys()].filter((place, at, all) => all.indexOf(place) === at);
      const fresh = order.some((place) => !looks.has(shown.views.whole, view, place));
      const found = tasks.map(() => null);
      for (const place of order) {
        found[place] = await looks.look(shown.views.whole, view, place);
        if (mine !== turn) return;
        flip.draw(found, shown.label);
      }
      if (fresh) announce(`The predictions of all ${tasks.length} tasks are there.`);
    } catch (error) {
      if (mine !== turn) return;
      problem.textContent = sentence(raised(error.message));
      for (const part of [problem, again]) show(part, true);
    }
    words.textContent = "";
    flip.busy(false);
  }

  view.addEventListener("change", follow);
  follow();
  return [picture.element, flip.element, overlapCard(view, parameters).element];
}

function blank(title, words, packs) {
  const rows = packs.map(({ network, replicate, tasks }) =>
    h(
      "li",
      {},
      h("a", { href: `/tasks?runs=${tasks.map(({ run }) => run).join(",")}` }, `${network}, replicate ${replicate}`),
      h("span", { class: "quiet" }, tasks.map(({ title }) => title).join("; ")),
    ),
  );
  return h(
    "section",
    { class: "blank" },
    h("h1", {}, title),
    h("p", {}, words),
    rows.length ? h("ul", { class: "choices" }, rows) : null,
    h(
      "p",
      { class: "actions" },
      shareButton(),
      h("a", { class: "button", href: "/train" }, "Launch a run"),
      h("a", { class: "button", href: "/train?task=rotated-1" }, "Launch a rotated task"),
      h("a", { class: "button", href: "/paper#many-tasks" }, "The study of many tasks"),
    ),
  );
}
