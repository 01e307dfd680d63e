/**
 * A line on Compare for runs that are tasks over one random network: to their page, and their pack as a file.
 */

import { ask } from "../../server/api.js";
import { h, show } from "../../base/dom.js";

const SHOWN = 6; // a study has a pack for each replicate

/** Returns {element, update}; `update(runs)` asks the server only if other runs have finished. */
export function packsLine() {
  const list = h("ul", { class: "choices" });
  const element = h("section", { class: "card", "aria-labelledby": "packs-title", hidden: true }, h("h2", { id: "packs-title" }, "Tasks over one random network"), list);
  let asked = "";

  async function update(runs) {
    const done = runs.filter((run) => run?.state === "finished");
    const tasks = new Set(done.map(({ spec }) => `${spec.dataset}/${spec.task ?? ""}`));
    const ids = tasks.size > 1 ? done.map(({ id }) => id).join(",") : "";
    if (ids === asked) return;
    asked = ids;
    const packs = ids ? await ask(`/api/packs?runs=${ids}`).then((answer) => answer.packs, () => []) : [];
    if (ids !== asked) return;
    list.replaceChildren(...packs.slice(0, SHOWN).map(row));
    show(element, packs.length > 0);
  }
  return { element, update };
}

function row({ network, replicate, tasks }) {
  const runs = tasks.map(({ run }) => run).join(",");
  return h(
    "li",
    {},
    h("a", { href: `/tasks?runs=${runs}` }, `Flip the γ of ${tasks.length} tasks: ${network}, replicate ${replicate}`),
    h("a", { href: `/api/packs/file?runs=${runs}`, download: "" }, "Download pack"),
  );
}
