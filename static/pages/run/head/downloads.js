/**
 * The menu of all files of a run.
 */

import { options } from "../../../server/catalog.js";
import { h, show } from "../../../base/dom.js";
import { at } from "../../../base/place.js";

export function downloads(data) {
  const { id } = data;
  const [points, findings] = [`/api/runs/${id}/points`, `/api/runs/${id}/findings`];
  const file = at(`/api/runs/${id}/capsule`);
  const capsule = h("a", { href: `/api/runs/${id}/capsule`, download: `onlybn-${id}.safetensors`, hidden: true }, "Trained network (capsule)");
  const player = h("a", { href: `/player/?url=${file.replace(/^\//, "")}`, hidden: true }, "Open in the player");
  const curves = [
    h("a", { href: `${points}?format=csv`, download: `onlybn-${id}-points.csv` }, "Points as CSV"),
    h("a", { href: `${points}?format=json`, download: `onlybn-${id}-points.json` }, "Points as JSON"),
    h("a", { href: `/api/runs/${id}/script`, download: `onlybn-${id}.py` }, "Curves as a Python script"),
    h("a", { href: `/api/runs/${id}/script?format=ipynb`, download: `onlybn-${id}.ipynb` }, "Curves as a notebook"),
    h("a", { href: `/api/runs/${id}/snapshots`, download: `onlybn-${id}-snapshots.json` }, "Snapshots as JSON"),
  ];
  const found = [
    h("a", { href: findings, download: `onlybn-${id}-findings.json`, hidden: true }, "Findings as JSON"),
    ...options.findings.map((table) =>
      h(
        "a",
        { href: `${findings}?format=csv&table=${table}`, download: `onlybn-${id}-${table}.csv`, hidden: true, "data-table": table },
        `Findings as CSV: ${table}`,
      ),
    ),
  ];
  data.addEventListener("change", () => {
    const there = data.run.state === "finished" && !data.run.lost && !data.run.missing?.includes("capsule");
    for (const link of [capsule, player]) show(link, there);
    for (const link of curves) show(link, !data.run.lost?.curves);
    for (const link of found) show(link, data.run.findings && (link.dataset.table !== "adapted" || data.run.spec.adapt));
  });
  return h(
    "details",
    { class: "menu" },
    h("summary", { class: "button" }, "Download"),
    h(
      "div",
      {},
      h("a", { href: `/api/runs/${id}/report`, download: `onlybn-${id}.html` }, "Report (HTML)"),
      curves,
      found,
      capsule,
      player,
    ),
  );
}
