/**
 * Reports an offensive nickname, or the title of the room, to the operator.
 */

import { h, show } from "../../base/dom.js";
import { reportOne, reportText } from "../../site/report.js";
import { isTeacher } from "../../server/rooms.js";

export function reports(id) {
  const path = `/api/rooms/${encodeURIComponent(id)}`;
  const nickname = reportOne("Report a nickname", path, "nickname");
  const title = h("span", {});
  let shown = null;
  const element = h("p", { class: "room-report screen-only" }, title, nickname);
  return {
    element,
    update(room) {
      nickname.update(room.members.filter((member) => member !== room.me));
      show(title, !isTeacher(id));
      if (room.title === shown) return;
      shown = room.title;
      title.replaceChildren(reportText("Report this title", "Title reported", path, { kind: "title", text: room.title }));
    },
  };
}
