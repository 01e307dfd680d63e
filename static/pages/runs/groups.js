/**
 * Headings of the table of runs: the study, or the question, that the runs below were launched for.
 */

import { options } from "../../server/catalog.js";
import { h } from "../../base/dom.js";

/** {key, title, href} of the group of a run by "study" or "question". */
export function groupOf({ study, study_name: name, question }, by) {
  if (by === "study" && study)
    return { key: study, title: options.studies[name] ?? name, href: `/compare?study=${study}` };
  if (by === "question" && question) return { key: question, title: options.questions[question] ?? question, href: null };
  return { key: "", title: by === "study" ? "Not part of a study" : "Not launched from a question", href: null };
}

/** A row over `columns` columns. */
export function groupRow({ title, href }, columns) {
  const link = href ? h("a", { href }, "Compare these") : null;
  return h("tr", { class: "group-row" }, h("th", { colspan: columns, scope: "rowgroup" }, h("span", {}, title), link));
}
