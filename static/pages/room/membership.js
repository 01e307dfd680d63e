/**
 * Who is in a room: joining with a nickname, leaving, and for the teacher a button that removes somebody.
 */

import { h, show } from "../../base/dom.js";
import { toast } from "../../base/toast.js";
import { isTeacher, join, leave, removeMember } from "../../server/rooms.js";
import { busy } from "../../site/launch.js";

/** `changed(room)` is called with the room after a change. */
export function membership(id, changed) {
  const name = h("input", { class: "search", maxlength: 24, required: true, placeholder: "Nickname", "aria-label": "Nickname", autocomplete: "off" });
  const enter = h("button", { type: "submit", class: "button primary" }, "Join");
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const form = h("form", { class: "room-join" }, name, enter);
  const me = h("p", {});
  const list = h("ul", { class: "room-members", "aria-label": "People in this room" });
  const element = h("section", { class: "card room-people", "aria-label": "People" }, form, me, problem, list);
  let shown = "";

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    busy(enter, problem, async () => {
      changed(await join(id, name.value.trim()));
      enter.disabled = false;
      enter.removeAttribute("aria-busy");
    });
  });
  const acting = (words, act, label) =>
    h(
      "button",
      {
        type: "button",
        class: "text-button",
        "aria-label": label ?? null,
        onclick: () => act().then(changed, (refusal) => toast(refusal.message, { wrong: true })),
      },
      words,
    );
  return {
    element,
    update(room) {
      show(form, !room.me);
      show(me, Boolean(room.me));
      const now = JSON.stringify([room.me, room.members]);
      if (now === shown) return;
      shown = now;
      me.replaceChildren("You are ", h("b", {}, room.me ?? ""), ". ", acting("Leave and delete my nickname", () => leave(id)));
      list.replaceChildren(
        ...room.members.map((member) =>
          h("li", { class: "tag" }, member, isTeacher(id) && member !== room.me ? [" ", acting("×", () => removeMember(id, member), `Remove ${member}`)] : null),
        ),
      );
    },
  };
}
