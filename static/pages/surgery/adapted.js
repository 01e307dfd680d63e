/**
 * What adaptations gave: a row for each, the newest first, with all numbers as a table, as CSV and as JSON.
 */

import { countColumn, shareColumn, wordsColumn } from "../../charts/columns.js";
import { dataFold } from "../../charts/numbers.js";
import { copyButton, h, show } from "../../base/dom.js";
import { percent, whole } from "../../base/format.js";
import { nameOf } from "../../server/catalog.js";

const PREDICTIONS = { trained: "As trained", statistics: "Test statistics", entropy: "γ and β, too" };

/** Returns {element, add(request, result)}. */
export function adaptedRows(run, corruptions) {
  const titles = Object.fromEntries(corruptions.map(({ name, title }) => [name, title]));
  const done = []; // {asked, row}, the newest last
  const title = ({ corruption }) => (corruption ? titles[corruption] : "None (clean)");
  const body = h("tbody");
  const heads = ["Corruption", "Severity", ...Object.values(PREDICTIONS), "Images"];
  const table = h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": "Accuracy before and after adaptation" },
    h(
      "table",
      { class: "table adapted-table" },
      h("thead", {}, h("tr", {}, heads.map((words) => h("th", { scope: "col" }, words)))),
      body,
    ),
  );
  const note = h("p", { class: "quiet" }, "Test accuracy, with 95% intervals of the share (Wilson). Each image is predicted before the step on its batch, so a few batches change little.");
  const fold = dataFold(() => "Adaptation", numbers, () => `onlybn-adaptation-${run.id}`);
  const copy = copyButton("Copy as JSON", () => JSON.stringify(asJson(), null, 2), "button small");
  const element = h("div", { class: "adapted", hidden: true, "data-slot": "adapted" }, table, note, fold.element, copy);

  function numbers() {
    const parts = Object.entries(PREDICTIONS).flatMap(([name, words]) => [
      shareColumn(words, name),
      shareColumn("from", `${name} low`),
      shareColumn("to", `${name} high`),
    ]);
    return {
      columns: [
        wordsColumn("Corruption"),
        countColumn("Severity", "severity"),
        ...parts,
        countColumn("Images", "images"),
        wordsColumn("Optimiser", "optimizer"),
        { title: "Learning rate", name: "lr", text: String },
        countColumn("Per batch", "batch size"),
      ],
      rows: done.map(({ asked, row }) => [
        row.corruption ?? "none",
        row.severity,
        ...Object.keys(PREDICTIONS).flatMap((name) => [row[name].share, row[name].low, row[name].high]),
        row.images,
        asked.optimizer,
        asked.lr,
        asked.batch_size,
      ]),
    };
  }

  const asJson = () => ({ run: run.id, name: nameOf(run), adapted: done.map(({ asked, row }) => ({ adapt: asked, ...row })) });

  function line({ asked, row }) {
    const cells = Object.keys(PREDICTIONS).map((name) => {
      const { share, low, high } = row[name];
      const range = `${(100 * low).toFixed(1)}–${(100 * high).toFixed(1)}`;
      return h("td", { "data-slot": name }, percent(share), " ", h("span", { class: "quiet" }, range));
    });
    const how = `${asked.optimizer === "adam" ? "Adam" : "SGD"}, learning rate ${asked.lr}, ${asked.batch_size} images per batch`;
    return h("tr", { title: how }, h("th", { scope: "row" }, title(row)), h("td", {}, row.severity), cells, h("td", {}, whole(row.images)));
  }

  return {
    element,
    add(asked, { adapted }) {
      for (const row of adapted) {
        const key = JSON.stringify([asked, row.corruption, row.severity]);
        const again = done.findIndex((one) => one.key === key);
        if (again >= 0) done.splice(again, 1); // the same once more: it moves up
        done.push({ key, asked, row });
      }
      body.replaceChildren(...done.toReversed().map(line));
      show(element, true);
      fold.update();
    },
  };
}
