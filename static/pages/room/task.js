/**
 * What everybody in a room is to find out: the teacher's question with its button, and for the teacher a menu of
 * questions.
 */

import { h, show } from "../../base/dom.js";
import { toast } from "../../base/toast.js";
import { ask, launchRun } from "../../server/api.js";
import { options } from "../../server/catalog.js";
import { changeRoom, isTeacher } from "../../server/rooms.js";
import { busy } from "../../site/launch.js";

/** `again()` refreshes the page. */
export function task(id, again) {
  const words = h("h2", {});
  const run = h("button", { type: "button", class: "button primary" }, "Run it");
  const own = h("a", { class: "button" }, "Build your own run");
  const hint = h("p", { class: "quiet" });
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const choice = h(
    "select",
    { class: "select", "aria-label": "Question for everybody" },
    h("option", { value: "" }, "None: everybody chooses their own runs"),
    Object.entries(options.questions).map(([name, sentence]) => h("option", { value: name }, sentence)),
  );
  const teaching = h("label", { class: "room-teaching", hidden: !isTeacher(id) }, h("span", { class: "quiet" }, "You opened this room. Question for everybody: "), choice);
  const element = h("section", { class: "card room-task", "aria-label": "Question" }, words, h("div", { class: "actions" }, run, own), hint, problem, teaching);
  let now = null;

  choice.addEventListener("change", async () => {
    try {
      await changeRoom(id, { question: choice.value || null });
      again();
    } catch (refusal) {
      toast(refusal.message, { wrong: true });
    }
  });
  run.addEventListener("click", () =>
    busy(run, problem, async () => {
      const asked = (await ask("/api/experiments")).find(({ name }) => name === now.question);
      const replicate = now.members.indexOf(now.me); // other random numbers for each, so that the board shows their spread
      for (const [at, spec] of asked.runs.entries())
        await launchRun({ ...spec, replicate, name: plain(`${now.me}: ${asked.names[at]}`) }, { question: asked.name, room: id });
      toast(`${asked.runs.length} runs are launched. They appear on the board.`);
      run.disabled = false;
      run.removeAttribute("aria-busy");
      again();
    }),
  );
  return {
    element,
    update(room) {
      now = room;
      words.textContent = room.question ? options.questions[room.question] : "Launch any run";
      show(run, Boolean(room.question));
      run.setAttribute("aria-disabled", String(!room.me));
      run.disabled = !room.me || run.getAttribute("aria-busy") === "true";
      own.href = `/train?room=${encodeURIComponent(id)}`;
      show(own, Boolean(room.me));
      hint.textContent = room.me ? "" : "Join first, with a nickname.";
      show(hint, !room.me);
      if (document.activeElement !== choice) choice.value = room.question ?? "";
    },
  };
}

/** `words` with only the letters that a name may have. */
const plain = (words) => words.replace(/[^\p{L}\p{N}_ .,:;()+×=/γβ-]/gu, "").slice(0, 64);
