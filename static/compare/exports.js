/**
 * What is seen as files: the curves as CSV (long) and JSON, pictures, and a script that draws them again. Always the
 * values themselves, never the smoothed ones.
 */

import { h } from "../dom.js";

const COLUMNS = ["run", "name", "group", "metric", "step", "epoch", "value"];

/** The curves of all groups, one line a point; shares are 0..1, as in every other file of ours. */
export function curvesCsv(curves, { metric }, scale) {
  const rows = curves.flatMap(({ name, singles }) =>
    singles.flatMap(({ data, points }) =>
      points.map(({ step, epoch, y }) => [data.id, data.run.name ?? "", name, metric, step, epoch, tidy(y / scale)]),
    ),
  );
  return csv([COLUMNS, ...rows]);
}

/** Rows as CSV: lines end with CR LF (RFC 4180), and no cell starts a formula. */
export const csv = (rows) => rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");

function cell(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Multiplied for the axis and divided again, a number has lost its last digit. */
const tidy = (value) => Number(value.toPrecision(12));

/** Everything that the page shows, as one object. */
export function comparisonJson(curves, { source, view }, scale) {
  return {
    address: location.href,
    source,
    view,
    groups: curves.map(({ name, n, members, mean }) => ({
      name,
      runs: members.map(({ id }) => id),
      curves: n,
      mean: mean.map(({ step, epoch, y, values, ends }) => ({
        step,
        epoch,
        n: values.length,
        mean: tidy(y / scale),
        low: ends ? tidy(ends[0] / scale) : null,
        high: ends ? tidy(ends[1] / scale) : null,
      })),
    })),
    runs: curves.flatMap(({ name, members, singles }) =>
      members.map(({ id, run }) => ({
        id,
        name: run.name,
        group: name,
        state: run.state,
        spec: run.spec,
        counts: run.counts,
        result: run.result,
        points: (singles.find(({ data }) => data.id === id)?.points ?? []).map(({ step, epoch, y }) => ({
          step,
          epoch,
          value: tidy(y / scale),
        })),
      })),
    ),
  };
}

/** Hands `content` (text, or a data URL) to the reader as a file. */
export function save(name, content, kind) {
  const url = content.startsWith("data:") ? content : URL.createObjectURL(new Blob([content], { type: kind }));
  const link = h("a", { href: url, download: name, class: "offscreen" });
  document.body.append(link);
  link.click();
  link.remove();
  if (url !== content) setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** A menu of files: {what people read: makes and saves it}. */
export function exportMenu(label, files) {
  const menu = h("details", { class: "menu" }, h("summary", { class: "button small" }, label));
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const buttons = Object.entries(files).map(([title, make]) => {
    const button = h("button", { type: "button" }, title);
    button.addEventListener("click", async () => {
      problem.hidden = true;
      button.setAttribute("aria-busy", "true");
      try {
        await make();
        menu.open = false;
        menu.querySelector("summary").focus();
      } catch (error) {
        problem.textContent = `This file could not be made: ${error.message}`;
        problem.hidden = false;
      }
      button.removeAttribute("aria-busy");
    });
    return button;
  });
  menu.append(h("div", {}, buttons, problem));
  menu.addEventListener("focusout", ({ relatedTarget }) => {
    if (relatedTarget && !menu.contains(relatedTarget)) menu.open = false;
  });
  menu.addEventListener("keydown", ({ key }) => {
    if (key === "Escape") {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
  return menu;
}
