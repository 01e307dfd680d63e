/**
 * The page of surgery on a finished run: switches features off and shows how well the network still works, and adapts it
 * to corrupted images.
 */

import { ask } from "../../server/api.js";
import { isRunId, nameOf } from "../../server/catalog.js";
import { h } from "../../base/dom.js";
import { runMark } from "../../base/mark.js";
import { repeat } from "../../server/live.js";
import { shareButton } from "../../site/share.js";
import { standing } from "../../base/widgets.js";
import { adapt } from "./adapt.js";
import { readLayers, toRequest } from "./edits.js";
import { featureBars } from "./features.js";
import { tryImage } from "./image.js";
import { layerTable } from "./layers.js";
import { measure } from "./measure.js";
import { Operation } from "./operation.js";
import { picture } from "./picture.js";
import { threshold } from "./threshold.js";

const OFFERED = 8;

export function mount(element) {
  const page = element.querySelector(".surgery-page");
  const id = new URLSearchParams(location.search).get("run") ?? "";
  repeat(async () => {
    try {
      page.replaceChildren(...(isRunId(id) ? await load(id) : [await choice()]));
    } catch (refusal) {
      if (refusal.passing) throw refusal; // the page's clock tries again
      page.replaceChildren(blank("Nothing to edit", refusal.message, id));
    }
    return false;
  });
}

/** A list of the newest runs that surgery is possible on. */
async function choice() {
  const { runs } = await ask(`/api/runs?state=finished&limit=${OFFERED}`);
  const able = runs.filter(({ spec }) => spec.norm.affine);
  const words = able.length ? "Surgery starts from a finished run. These are the newest:" : "Surgery starts from a finished run, and there is none yet.";
  const page = blank("Choose a run", words);
  const rows = able.map((run) =>
    h("li", {}, h("a", { href: `/surgery?run=${run.id}` }, nameOf(run)), h("span", { class: "quiet" }, standing(run))),
  );
  if (rows.length) page.querySelector("p").after(h("ul", { class: "choices" }, rows));
  return page;
}

async function load(id) {
  const path = `/api/runs/${encodeURIComponent(id)}`;
  const run = await ask(path);
  document.title = `Surgery · ${nameOf(run)} · OnlyBN`;
  if (run.state !== "finished")
    return [blank("This run is not finished", `It is ${run.state}. Surgery needs a trained network: come back when the run has finished.`, id)];
  const [parameters, found, preview] = await Promise.all([
    ask(`${path}/parameters`),
    run.findings ? ask(`${path}/findings`) : null,
    ask("/api/preview", run.spec),
  ]);
  if (!parameters.layers.length)
    return [blank("Nothing to edit", "This network’s norm layers have no γ and β.", id)];
  const operation = new Operation(readLayers(parameters.layers), location.search);
  return [
    head(run, operation),
    h(
      "div",
      { class: "surgery-top" },
      threshold(operation, found?.ablation ?? [], run),
      h("div", { class: "surgery-side" }, picture(operation, preview.plan), measure(operation, run, parameters, found)),
    ),
    h(
      "section",
      { class: "card layers", "aria-labelledby": "layers-title" },
      h("h2", { id: "layers-title" }, "Layers and features"),
      h("div", { class: "layers-split" }, layerTable(operation), featureBars(operation)),
    ),
    tryImage(operation, run, parameters),
    adapt(run, parameters),
  ];
}

const head = (run, operation) =>
  h(
    "header",
    { class: "surgery-head" },
    h("div", { class: "page-head" }, h("h1", {}, "Surgery"), shareButton("Share", "button", () => ({ run, edits: toRequest(operation.state) }))),
    h(
      "p",
      {},
      "On ",
      h("a", { href: `/run?id=${run.id}` }, nameOf(run)),
      run.example || run.browser ? [" ", runMark(run)] : null,
      ". Switch features off, flip their signs, and see what the network can still do. Nothing is trained again, and the run itself stays as it is.",
    ),
  );

function blank(title, words, id = null) {
  return h(
    "section",
    { class: "blank" },
    h("h1", {}, title),
    h("p", {}, words),
    h(
      "p",
      { class: "actions" },
      id ? h("a", { class: "button", href: `/run?id=${id}` }, "Go to the run") : null,
      h("a", { class: "button", href: "/runs?state=finished" }, "Finished runs"),
      h("a", { class: "button", href: "/train" }, "Launch a run"),
    ),
  );
}
