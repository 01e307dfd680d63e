/**
 * The picture of a run's network: which parameters train or, if features are off, the share of each layer that is off.
 */

import { options } from "../../server/catalog.js";
import { countColumn, shareColumn, wordsColumn } from "../../charts/columns.js";
import { dataFold } from "../../charts/numbers.js";
import { disabledShare } from "../../charts/disabled.js";
import { networkPicture } from "../../charts/network/picture.js";
import { h, show } from "../../base/dom.js";
import { fileName } from "./pictures.js";

const TITLE = "The network";
const VIEWS = { trained: "What trains", off: "What is off" };

/** `preview`: promise of the response of /api/preview to the run's spec, or of null. */
export function network(data, preview) {
  const box = h("div", { class: "network-box" });
  const key = h("p", { class: "legend" });
  const numbers = dataFold(
    () => TITLE,
    () => (hasOff(data) ? layersTable(data) : null),
    () => fileName(TITLE),
  );
  numbers.element.hidden = true;
  const picture = networkPicture(box, key);
  let plan = null;
  let chosen = null; // without a choice: the features that are off, if the run has ended
  let drawn = "";
  const view = () => (!hasOff(data) ? "trained" : (chosen ?? (data.run.state === "finished" ? "off" : "trained")));
  const draw = () => {
    if (!plan) return;
    const now = view();
    show(switches, hasOff(data));
    show(numbers.element, now === "off");
    numbers.update();
    const last = data.snapshots.at(-1);
    const state = `${now} ${now === "off" ? last.step : ""}`;
    if (state === drawn) return;
    drawn = state;
    for (const button of switches.children) button.setAttribute("aria-pressed", String(button.dataset.view === now));
    picture.draw(plan, now === "off" ? offOf(last, data.layers) : null);
  };
  const switches = h(
    "div",
    { class: "segments", role: "group", "aria-label": "What the picture shows", hidden: true },
    Object.entries(VIEWS).map(([name, title]) =>
      h("button", { type: "button", "data-view": name, onclick: () => draw((chosen = name)) }, title),
    ),
  );
  preview.then((answer) => draw((plan = answer?.plan ?? null)));
  data.addEventListener("change", draw);
  return h(
    "section",
    { class: "card", "aria-labelledby": "network-title" },
    h("div", { class: "network-head" }, h("h2", { id: "network-title" }, TITLE), switches),
    box,
    key,
    numbers.element,
  );
}

/** Whether there is anything to show about features that are off. */
const hasOff = ({ run, snapshots, layers }) => run.spec.norm.affine && snapshots.length > 0 && Boolean(layers?.length);

/** The shares that set the picture's colours: of each norm layer by name, and of all together. */
const offOf = (snapshot, layers) => ({
  shares: Object.fromEntries(layers.map(({ name, channels }, index) => [name, snapshot.disabled[index] / channels])),
  all: disabledShare(snapshot, layers),
});

/** The table of layers at the last moment, with the numbers behind the colours. */
function layersTable({ layers, snapshots }) {
  const { disabled } = snapshots.at(-1);
  return {
    columns: [
      wordsColumn("Layer"),
      wordsColumn("Stage"),
      countColumn("Features", "features"),
      countColumn(`|γ| < ${options.disabled_below}`, "disabled"),
      shareColumn("Share", "share"),
    ],
    rows: layers.map(({ name, stage, channels }, index) => [
      name,
      stage === 0 ? "stem" : String(stage),
      channels,
      disabled[index],
      disabled[index] / channels,
    ]),
  };
}
