/**
 * What stands on the page before any run is chosen: how to choose some, and what there is to look at at once.
 */

import { ask } from "../api.js";
import { options } from "../catalog.js";
import { h } from "../dom.js";
import { whole } from "../format.js";

/** Fills itself with what this server has. */
export function empty() {
  const offers = h("ul", { class: "compare-offers" });
  const words = h("p", { class: "quiet" }, "Choose runs by ticking them on the page of all runs, or begin with one of these.");
  const element = h(
    "div",
    { class: "card first compare-empty" },
    h("h2", {}, "Which runs shall be compared?"),
    words,
    offers,
    h("a", { class: "button", href: "/runs" }, "Choose runs"),
  );
  fill(offers, words);
  return element;
}

async function fill(offers, words) {
  const [{ total }, { studies, questions }, ...sets] = await Promise.all([
    ask("/api/runs?limit=1"),
    ask("/api/studies"),
    ...options.datasets.map(({ name }) => ask(`/api/runs?limit=1&state=finished&dataset=${encodeURIComponent(name)}`)),
  ]);
  if (!total) {
    words.textContent = "Nothing has run here yet. Launch the pair on the Train page: it ends in a comparison.";
    offers.after(h("a", { class: "button", href: "/" }, "Launch the first runs"));
    return;
  }
  const title = ({ name }) => questions.find((question) => question.name === name)?.title ?? name;
  offers.replaceChildren(
    ...sets.flatMap(({ total }, at) => {
      const { name, title } = options.datasets[at];
      return total ? [offer(`/compare?state=finished&dataset=${name}`, `All finished runs on ${title}`, total)] : [];
    }),
    ...studies.map((study) => offer(`/compare?study=${study.id}`, `Study: ${title(study)}, scale ${study.scale}`, study.members.length)),
  );
}

const offer = (href, title, count) => h("li", {}, h("a", { href }, title), h("span", { class: "quiet" }, ` ${whole(count)} ${count === 1 ? "run" : "runs"}`));
