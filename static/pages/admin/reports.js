/**
 * The names that visitors have reported, with what settles each report.
 */

import { h, show } from "../../base/dom.js";
import { since, whole } from "../../base/format.js";
import { askAsAdmin } from "../../server/admin.js";
import { actButton, removeRun, renameRun } from "./acts.js";
import { renameForm } from "./rename.js";

/** `again()` refreshes the page; `update(reports)` shows the response of /api/admin/reports. */
export function reportsPanel(again) {
  const list = h("ul", { class: "admin-reports" });
  const none = h("p", { class: "quiet" }, "No names have been reported.");
  const entries = new Map();
  const element = h(
    "section",
    { class: "card", "aria-labelledby": "admin-reports" },
    h("h2", { id: "admin-reports" }, "Reported names"),
    none,
    list,
  );

  function update(reports) {
    const wanted = reports.map((one) => {
      const key = `${one.id} ${one.name}`;
      if (!entries.has(key)) entries.set(key, entry(one, again));
      entries.get(key).update(one);
      return entries.get(key);
    });
    for (const [key, one] of entries) if (!wanted.includes(one)) entries.delete(key);
    const differs = wanted.some((one, at) => list.children[at] !== one) || list.children.length !== wanted.length;
    if (differs) list.replaceChildren(...wanted);
    show(none, reports.length === 0);
    show(list, reports.length > 0);
  }
  return { element, update };
}

const counted = (number) => `${whole(number)} ${number === 1 ? "report" : "reports"}`;

function entry(report, again) {
  const who = h("span", { class: "quiet" });
  const form = h("div");
  const rename = h("button", { type: "button", class: "button small", "aria-label": `Rename: “${report.name}”` }, "Rename");
  const done = () => {
    form.replaceChildren();
    rename.focus();
  };
  rename.addEventListener("click", () => form.replaceChildren(renameForm(report, done, again)));
  const dismiss = async () => {
    const { dismissed } = await askAsAdmin(`/api/admin/reports/${encodeURIComponent(report.id)}/dismiss`, {});
    return { said: `${counted(dismissed)} of “${report.name}” dismissed: the name stays.` };
  };
  const button = (words, act, style = "button small") =>
    actButton(words, act, again, { style, label: `${words}: “${report.name}”` });
  const element = h(
    "li",
    {},
    h("p", {}, h("a", { href: report.url }, report.name), " ", who),
    h(
      "div",
      { class: "admin-row" },
      rename,
      button("Remove the name", () => renameRun(report, null)),
      button("Dismiss", dismiss),
      button("Delete the run", () => removeRun(report, again), "button small danger"),
    ),
    form,
  );
  element.update = ({ reports, first_at }) => {
    const words = `reported by ${whole(reports)} ${reports === 1 ? "visitor" : "visitors"}, first ${since(first_at)}`;
    if (who.textContent !== words) who.textContent = words;
  };
  return element;
}
