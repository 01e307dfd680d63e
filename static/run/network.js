/**
 * The network of a run: what trained in it, and once there is something to see, how much of each layer is off.
 */

import { options } from "../catalog.js";
import { disabledShare } from "../charts/disabled.js";
import { mount } from "../charts/network.js";
import { h, show } from "../dom.js";
import { percent, whole } from "../format.js";

const VIEWS = { trained: "What trains", off: "What is off" };

/** `preview`: promise of the answer of /api/preview to the run's spec, or of null. */
export function network(data, preview) {
  const box = h("div", { class: "network-box" });
  const key = h("p", { class: "legend" });
  const rows = h("tbody");
  const table = layers(rows);
  const picture = mount(box, key);
  let plan = null;
  let chosen = null; // until somebody chooses: off where the run has ended
  let drawn = "";
  const view = () => (!hasOff(data) ? "trained" : (chosen ?? (data.run.state === "finished" ? "off" : "trained")));
  const draw = () => {
    if (!plan) return;
    const now = view();
    show(switches, hasOff(data));
    show(table, now === "off");
    const last = data.snapshots.at(-1);
    const state = `${now} ${now === "off" ? last.step : ""}`;
    if (state === drawn) return;
    drawn = state;
    for (const button of switches.children) button.setAttribute("aria-pressed", String(button.dataset.view === now));
    picture.draw(plan, now === "off" ? offOf(last, data.layers) : null);
    if (now === "off") rows.replaceChildren(...data.layers.map((layer, index) => row(layer, last.disabled[index])));
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
    h("div", { class: "network-head" }, h("h2", { id: "network-title" }, "The network"), switches),
    box,
    key,
    table,
  );
}

/** Whether there is anything to say of the features that are off. */
const hasOff = ({ run, snapshots, layers }) => run.spec.norm.affine && snapshots.length > 0 && Boolean(layers?.length);

/** What the picture colours: the share of each norm layer by its name, and that of all together. */
const offOf = (snapshot, layers) => ({
  shares: Object.fromEntries(layers.map(({ name, channels }, index) => [name, snapshot.disabled[index] / channels])),
  all: disabledShare(snapshot, layers),
});

function layers(rows) {
  const heads = ["Layer", "Stage", "Features", `|γ| < ${options.disabled_below}`, "Share"];
  return h(
    "details",
    { hidden: true },
    h("summary", {}, "Layer by layer as a table"),
    h(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": "Disabled features layer by layer" },
      h(
        "table",
        { class: "table" },
        h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))),
        rows,
      ),
    ),
  );
}

function row({ name, stage, channels }, disabled) {
  const cells = [stage === 0 ? "stem" : stage, whole(channels), whole(disabled), percent(disabled / channels)];
  return h("tr", {}, h("th", { scope: "row" }, name), cells.map((cell) => h("td", {}, cell)));
}
