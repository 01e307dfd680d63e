/**
 * The second figure of About: how many parameters each policy trains in a ResNet of a chosen depth. The server counts
 * them.
 */

import { ask } from "../../server/api.js";
import { options, policyOf } from "../../server/catalog.js";
import { h, s, show } from "../../base/dom.js";
import { percent, whole } from "../../base/format.js";

const POLICIES = options.counted;
const DATASET = "cifar-10";
const FIRST = "110";

/** A choice of depth, a bar for each policy, and the parts of the network. */
export function counts() {
  const family = options.families[0];
  const select = h(
    "select",
    { class: "select", "aria-label": `Depth of the ${family.title}` },
    family.featured.map((depth) => h("option", { value: depth, selected: String(depth) === FIRST }, `${family.title}-${depth}`)),
  );
  const rows = h("tbody");
  const total = h("p", { class: "quiet", role: "status" }, "Counting…");
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  let turn = 0;

  async function load() {
    const asked = (turn += 1);
    total.textContent = "Counting…";
    show(problem, false);
    try {
      const answers = await Promise.all(POLICIES.map((policy) => count(`${family.name}-${select.value}`, policy)));
      if (asked !== turn) return;
      const all = answers[0].counts.total;
      total.textContent = `${family.title}-${select.value} for CIFAR-10 has ${whole(all)} parameters.`;
      rows.replaceChildren(...answers.map((answer, index) => row(POLICIES[index], answer, all)));
    } catch (refusal) {
      if (asked !== turn) return;
      total.textContent = "";
      problem.replaceChildren(`${refusal.message} `, h("button", { type: "button", class: "button small", onclick: load }, "Try again"));
      show(problem, true);
    }
  }

  select.addEventListener("change", load);
  load();
  const heads = ["What trains", "Parameters", "Share", "Parts"];
  return h(
    "div",
    { class: "card counts" },
    h("div", { class: "counts-head" }, select, total),
    problem,
    h(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": "Trainable parameters by policy" },
      h("table", { class: "table" }, h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))), rows),
    ),
  );
}

const count = (architecture, policy) => ask(`/api/count?${new URLSearchParams({ architecture, policy, dataset: DATASET })}`);

function row(policy, { counts, share, parts }, all) {
  const trained = parts.filter(({ trainable }) => trainable > 0);
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, policyOf(policy).title),
    h("td", { class: "counts-number" }, bar(counts.trainable, all), whole(counts.trainable)),
    h("td", {}, percent(share)),
    h("td", { class: "quiet" }, trained.map(({ title, trainable }) => `${title}: ${whole(trainable)}`).join(", ")),
  );
}

/** The count as a share of all parameters, to scale; a pixel and a half remain of the smallest. */
function bar(value, all) {
  return s(
    "svg",
    { viewBox: "0 0 160 12", width: 160, height: 12, "aria-hidden": "true" },
    s("rect", { class: "bar-ground", width: 160, height: 12, rx: 3 }),
    s("rect", { class: "bar", width: value && Math.max(1.5, (160 * value) / all), height: 12, rx: 3 }),
  );
}
