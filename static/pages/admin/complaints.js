/**
 * The notes, tags, nicknames and titles that visitors have reported, with what settles each report.
 */

import { h, show } from "../../base/dom.js";
import { since, whole } from "../../base/format.js";
import { askAsAdmin } from "../../server/admin.js";
import { actButton } from "./acts.js";

const KINDS = { note: "Note of a run", tag: "Tag of a run", nickname: "Nickname in a room", title: "Title of a room" };

/** `again()` refreshes the page; `update(complaints)` shows the response of /api/admin/complaints. */
export function complaintsPanel(again) {
  const list = h("ul", { class: "admin-reports" });
  const none = h("p", { class: "quiet" }, "No other texts have been reported.");
  const entries = new Map();
  const element = h(
    "section",
    { class: "card", "aria-labelledby": "admin-complaints" },
    h("h2", { id: "admin-complaints" }, "Reported notes, tags, nicknames and rooms"),
    none,
    list,
  );

  function update(complaints) {
    const wanted = complaints.map((one) => {
      if (!entries.has(one.number)) entries.set(one.number, entry(one, again));
      entries.get(one.number).update(one);
      return entries.get(one.number);
    });
    for (const [number, one] of entries) if (!wanted.includes(one)) entries.delete(number);
    const differs = wanted.some((one, at) => list.children[at] !== one) || list.children.length !== wanted.length;
    if (differs) list.replaceChildren(...wanted);
    show(none, complaints.length === 0);
    show(list, complaints.length > 0);
  }
  return { element, update };
}

function entry({ number, kind, url, text }, again) {
  const who = h("span", { class: "quiet" });
  const short = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  const act = (what, said) => async () => {
    await askAsAdmin(`/api/admin/complaints/${number}/${what}`, {});
    return { said };
  };
  const button = (words, what, said, style = "button small") =>
    actButton(words, act(what, said), again, { style, label: `${words}: “${short}”` });
  const element = h(
    "li",
    {},
    h("p", {}, h("a", { href: url }, KINDS[kind]), " ", who),
    h("p", { class: "admin-text" }, text),
    h(
      "div",
      { class: "admin-row" },
      button(`Remove the ${kind}`, "clear", `The ${kind} was removed.`, "button small danger"),
      button("Dismiss", "dismiss", `Dismissed: the ${kind} stays.`),
    ),
  );
  element.update = ({ complaints, first_at }) => {
    const words = `reported by ${whole(complaints)} ${complaints === 1 ? "visitor" : "visitors"}, first ${since(first_at)}`;
    if (who.textContent !== words) who.textContent = words;
  };
  return element;
}
