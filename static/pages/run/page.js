/**
 * The page of one run: finds the run, builds the page once, and lets the feed keep it up to date.
 */

import { ask } from "../../server/api.js";
import { isOver, isRunId, nameOf } from "../../server/catalog.js";
import { announce, h, show } from "../../base/dom.js";
import { sentence } from "../../base/format.js";
import { figure } from "../../base/frame.js";
import { frozen } from "../../base/place.js";
import { Feed } from "../../server/feed.js";
import { keptRules, keptWords } from "../../server/kept.js";
import { previewOf } from "../../server/spec.js";
import { standing, stateWord } from "../../base/widgets.js";
import { charts } from "./charts.js";
import { details } from "./details.js";
import { oneFigure } from "./figure.js";
import { findings } from "./findings.js";
import { head } from "./head/head.js";
import { lostCurves } from "./lost.js";
import { Expected } from "./outlook.js";
import { tellProgress } from "../../site/progress.js";
import { restoreButton } from "../../site/removal.js";
import { Rivals } from "./rivals.js";
import { View } from "./view.js";

export function mount(element) {
  const page = element.querySelector(".run-page");
  const id = new URLSearchParams(location.search).get("id") ?? "";
  if (!isRunId(id)) return page.replaceChildren(unknown(id));

  const feed = new Feed();
  const view = new View();
  feed.setLayer(view.layer);
  const data = feed.watch(id, { snapshots: true, log: true, speeds: true });
  let built = false;
  let state = null;
  let preview = null;
  data.addEventListener("change", () => {
    if (data.missing) return gone(page, id);
    if (!built) {
      // The command line and the network's picture follow from the spec alone.
      preview = previewOf(data.run).catch(() => null);
      const expected = new Expected(data);
      const rivals = new Rivals(data, feed, expected);
      if (figure !== null) page.replaceChildren(oneFigure(figure, data, { view, rivals }));
      else page.replaceChildren(
        head(data, feed, preview, expected, rivals),
        data.run.lost?.curves ? lostCurves(data.run) : charts(data, feed, view, rivals),
        findings(data),
        details(data, preview),
      );
      built = true;
      // The parts listen only from now on, so repeat the first change for them.
      data.dispatchEvent(new Event("change"));
    }
    tellProgress({ share: isOver(data.run) ? null : data.run.progress.share, title: nameOf(data.run), done: standing(data.run) });
    if (state && state !== data.run.state) announce(`The run is now ${stateWord(data.run.state).toLowerCase()}.`);
    state = data.run.state;
  });
}

/** The page for a run that does not exist, or that this server cannot read, with the reason. */
async function gone(page, id) {
  const answer = await ask(`/api/runs?text=${id}&limit=1`).catch(() => null);
  const reason = answer?.unreadable.find((run) => run.id === id)?.reason;
  page.replaceChildren(reason ? unreadable(reason) : unknown(id));
}

function unreadable(reason) {
  document.title = "Unreadable run · OnlyBN";
  return h(
    "section",
    { class: "blank" },
    h("h1", {}, "This run cannot be read"),
    h("p", { class: "problem" }, `This version of OnlyBN cannot read the stored run: ${sentence(reason)}`),
    h("p", {}, "It is kept unchanged. The version that stored it can show it, and the person who launched it can delete it on the Runs page."),
    h("p", { class: "actions" }, h("a", { class: "button", href: "/runs" }, "See all runs")),
  );
}

/** How long runs are kept here, which may be why there is none; hidden where nothing is deleted. */
function keptHint() {
  const element = h("p", { class: "quiet", hidden: true });
  keptRules().then((rules) => {
    element.textContent = keptWords(rules);
    show(element, element.textContent !== "");
  });
  return element;
}

function unknown(id) {
  document.title = "No such run · OnlyBN";
  return h(
    "section",
    { class: "blank" },
    h("h1", {}, id ? "There is no run at this link" : "Choose a run"),
    h(
      "p",
      {},
      id
        ? "The link may have been cut short, or the run belongs to another server or to data that has been removed."
        : "Links to runs end in ?id= and the run’s id.",
    ),
    id ? restoreButton(id) : null,
    id ? keptHint() : null,
    h(
      "p",
      { class: "actions" },
      h("a", { class: "button", href: "/runs" }, "See all runs"),
      frozen ? null : h("a", { class: "button", href: "/train" }, "Launch a run"),
    ),
  );
}
