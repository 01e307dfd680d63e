/**
 * A room: a class opens one, everybody joins with a nickname, and all runs are on one board. Without an id: the form that
 * opens a room.
 */

import { h, show } from "../../base/dom.js";
import { whole } from "../../base/format.js";
import { ask } from "../../server/api.js";
import { isRunId, options } from "../../server/catalog.js";
import { repeat } from "../../server/live.js";
import { closeRoom, isTeacher, openRoom, room as look } from "../../server/rooms.js";
import { busy, showIn } from "../../site/launch.js";
import { shareButton } from "../../site/share.js";
import { board } from "./board.js";
import { membership } from "./membership.js";
import { reports } from "./report.js";
import { task } from "./task.js";

const EVERY_MS = 3000;

export function mount(element) {
  const page = element.querySelector(".room-page");
  document.title = "Room · OnlyBN";
  const id = new URLSearchParams(location.search).get("id") ?? "";
  if (!id) return page.replaceChildren(opening());
  if (!isRunId(id)) return page.replaceChildren(nowhere("This link has no valid room id. Ask your teacher for the link again."));
  inside(page, id);
}

function inside(page, id) {
  const title = h("h1", {}, "Room");
  const count = h("p", { class: "quiet", role: "status" });
  const parts = { task: task(id, wake), members: membership(id, update), board: board(id), reports: reports(id) };
  const close = h("button", { type: "button", class: "button small danger", hidden: !isTeacher(id) }, "Close this room");
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  let built = false;

  function update(room) {
    if (!built) {
      page.replaceChildren(
        h("div", { class: "page-head" }, title, shareButton("Invite")),
        count,
        problem,
        parts.task.element,
        parts.members.element,
        parts.board.element,
        parts.reports.element,
        close,
      );
      built = true;
    }
    title.textContent = room.title;
    document.title = `${room.title} · OnlyBN`;
    const people = room.members.length;
    count.textContent = `${whole(people)} ${people === 1 ? "person" : "people"} · ${whole(room.runs.length)} ${room.runs.length === 1 ? "run" : "runs"}`;
    for (const part of Object.values(parts)) part.update(room);
  }

  const poll = repeat(async () => {
    const room = await look(id).catch((refusal) => {
      if (refusal.status !== 404) throw refusal;
      page.replaceChildren(nowhere(refusal.message));
      return null;
    });
    if (!room) return false;
    update(room);
    return true;
  }, EVERY_MS);
  function wake() {
    poll.wake();
  }

  close.addEventListener("click", async () => {
    if (close.dataset.sure !== "yes") {
      close.dataset.sure = "yes";
      close.textContent = "Really close it? Nicknames are deleted; the runs stay.";
      return;
    }
    await busy(close, problem, async () => {
      await closeRoom(id);
      location.assign("/room");
    });
  });
}

/** The form that opens a room. */
function opening() {
  const title = h("input", { class: "search", maxlength: 80, value: "Our room", required: true });
  const question = h(
    "select",
    { class: "select" },
    h("option", { value: "" }, "None: everybody chooses their own runs"),
    Object.entries(options.questions).map(([name, sentence]) => h("option", { value: name }, sentence)),
  );
  const button = h("button", { type: "submit", class: "button primary" }, "Open the room");
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const form = h(
    "form",
    { class: "card room-form" },
    h("label", {}, h("span", {}, "Title"), title),
    h("label", {}, h("span", {}, "Question for everybody"), question),
    problem,
    h("div", {}, button),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    busy(button, problem, async () => location.assign(await openRoom(title.value.trim(), question.value || null)));
  });
  return h(
    "section",
    { class: "room-opening" },
    h("div", { class: "page-head" }, h("h1", {}, "A room for your class"), shareButton()),
    h("p", {}, "Everybody with the link can join with a nickname and launch runs. All runs appear on one board, in one chart."),
    h("p", { class: "quiet" }, "The site asks only for a nickname, which can be deleted at any time. Runs take turns, so nobody waits long because somebody else launches many."),
    form,
  );
}

function nowhere(words) {
  return h(
    "section",
    { class: "blank" },
    h("h1", {}, "There is no room at this link"),
    h("p", {}, words),
    h("p", { class: "actions" }, h("a", { class: "button", href: "/room" }, "Open a room")),
  );
}
