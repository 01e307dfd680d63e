/**
 * The table of the fields in which the runs differ: a row per field, a column per run.
 */

import { h, show } from "../../base/dom.js";
import { differing } from "./fields.js";
import { runName } from "./groups.js";

export function difference() {
  const same = h("p", { class: "quiet" });
  const grid = h("table", { class: "table difference" });
  const box = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Fields that differ between the runs" }, grid);
  const element = h("section", { class: "card", "aria-labelledby": "difference-title" }, h("h2", { id: "difference-title" }, "Differences in configuration"), same, box);
  let drawn = "";

  function update(watched, view) {
    const runs = watched.map(({ run }) => run);
    const fields = differing(runs);
    const now = JSON.stringify([runs.map(({ id }) => id), view.base]);
    if (now === drawn) return; // a run's spec never changes
    drawn = now;
    same.textContent = runs.length < 2 ? "Add a second run to see how they differ." : fields.length ? "" : "Their configurations are identical.";
    show(same, Boolean(same.textContent));
    show(box, fields.length > 0);
    const base = runs.find(({ id }) => id === view.base);
    grid.replaceChildren(
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          h("th", { scope: "col" }, "Field"),
          runs.map((run) => h("th", { scope: "col" }, h("a", { href: run.url }, runName(run, fields)), run.id === view.base ? " (baseline)" : "")),
        ),
      ),
      h(
        "tbody",
        {},
        fields.map(({ title, value, text }) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, title),
            runs.map((run) => {
              const differs = base && JSON.stringify(value(run)) !== JSON.stringify(value(base));
              return h("td", { "data-differs": differs || null }, text(value(run)));
            }),
          ),
        ),
      ),
    );
  }
  return { element, update };
}
