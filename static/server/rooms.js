/**
 * Requests of rooms, and the tokens of those that this browser opened.
 */

import { ask, keepToken, ownerToken, send } from "./api.js";

const path = (id, rest = "") => `/api/rooms/${encodeURIComponent(id)}${rest}`;
const asTeacher = (id) => ({ "X-Owner-Token": ownerToken(id) });

export const room = (id) => ask(path(id));
export const join = (id, nickname) => ask(path(id, "/join"), { nickname });
export const leave = (id) => ask(path(id, "/leave"), {});

/** Whether this browser opened the room. */
export const isTeacher = (id) => Boolean(ownerToken(id));

/** Opens a room and keeps its token. Returns its address. */
export async function openRoom(title, question) {
  const opened = await ask("/api/rooms", { title, question });
  keepToken(opened);
  return opened.url;
}

export const changeRoom = (id, values) => send("PATCH", path(id), values, asTeacher(id));
export const closeRoom = (id) => send("DELETE", path(id), undefined, asTeacher(id));
export const removeMember = (id, nickname) => send("DELETE", path(id, `/members/${encodeURIComponent(nickname)}`), undefined, asTeacher(id));
