/**
 * The page before any run is chosen: how to choose runs, and links to comparisons that this server already has.
 */

import { ask } from "../../server/api.js";
import { options } from "../../server/catalog.js";
import { h } from "../../base/dom.js";
import { whole } from "../../base/format.js";
import { repeat } from "../../server/live.js";

/** An element that fills itself with what this server has. */
export function empty() {
  const offers = h("ul", { class: "compare-offers" });
  const words = h("p", { class: "quiet" }, "Select them on the Runs page, or start here:");
  const element = h(
    "div",
    { class: "card first compare-empty" },
    h("h2", {}, "Choose runs to compare"),
    words,
    offers,
    h("a", { class: "button", href: "/runs" }, "Choose runs"),
  );
  repeat(async () => {
    await Promise.all([anything(words, offers), sets(offers), studies(offers)]);
    return false; // if the server cannot be reached, the clock tries again
  });
  return element;
}

/** Says if nothing has run yet. */
async function anything(words, offers) {
  const { total } = await ask("/api/runs?limit=1");
  if (total) return;
  words.textContent = "Nothing has run here yet. Launch the pair on the home page: it ends in a comparison.";
  offers.replaceChildren(offer("/", "Go to the home page", ""));
}

async function sets(offers) {
  const found = await Promise.all(
    options.datasets.map(({ name }) => ask(`/api/runs?limit=1&state=finished&dataset=${encodeURIComponent(name)}`)),
  );
  const links = found.flatMap(({ total }, at) => {
    const { name, title } = options.datasets[at];
    return total ? [offer(`/compare?state=finished&dataset=${name}`, `All finished runs on ${title}`, many(total))] : [];
  });
  offers.prepend(...links);
}

/** The newest study of each question. The response also has their costs, so it may take the server a while. */
async function studies(offers) {
  const { studies, questions } = await ask("/api/studies");
  const title = ({ name }) => questions.find((question) => question.name === name)?.title ?? name;
  offers.append(
    ...studies.map((study) => offer(`/compare?study=${study.id}`, `Study: ${title(study)}, scale ${study.scale}`, many(study.members.length))),
  );
}

const many = (count) => `${whole(count)} ${count === 1 ? "run" : "runs"}`;

const offer = (href, title, words) => h("li", {}, h("a", { href }, title), h("span", { class: "quiet" }, ` ${words}`));
