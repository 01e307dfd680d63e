/**
 * The source of data of a frozen site, in place of the server: what the API would answer, from files (app/freeze).
 */

import { compared } from "./comparison.js";
import { fed } from "./feed.js";
import { unpackedAnswer, Unloaded } from "./files.js";
import { listed } from "./runs.js";
import { SITE, here } from "./site.js";

const RUN = /^\/api\/runs\/([\w-]+)$/;
const PART = /^\/api\/runs\/([\w-]+)\/(outlook|preview|schedule)$/;
const MOMENT = /^\/api\/runs\/([\w-]+)\/snapshots\/(\d+)$/;

/** The response to a GET of `address`, or, with a `body` (JSON), to a POST. Throws Unloaded. */
export async function answer(address, body) {
  const { pathname, searchParams } = new URL(address, location.href);
  if (pathname === "/api/feed") return fed(JSON.parse(body));
  if (pathname === "/api/runs") return listed(searchParams);
  if (pathname === "/api/compare") return compared(searchParams);
  if (pathname === "/api/compare/shell") return shell(searchParams);
  const [, id, part] = PART.exec(pathname) ?? RUN.exec(pathname) ?? [];
  if (id) return (await unpackedAnswer(`/api/runs/${id}`))[part ?? "run"];
  const [, run, step] = MOMENT.exec(pathname) ?? [];
  if (run) return moment(run, Number(step));
  if (body !== undefined) throw new Unloaded(404);
  return unpackedAnswer(address);
}

/** The newest snapshot at or before `step`, or else the first one. */
async function moment(id, step) {
  const { snapshots } = await unpackedAnswer(`/api/runs/${id}/snapshots`);
  const found = snapshots.findLast((row) => row.step <= step) ?? snapshots[0];
  if (!found) throw new Unloaded(404);
  return found;
}

/** The frame of a comparison's file, with the link to it. */
async function shell(query) {
  const { pieces } = await unpackedAnswer("/api/compare/shell");
  const escaped = query.toString().replaceAll("&", "&amp;");
  return { pieces: pieces.map((piece) => piece.replace(SITE, (...match) => here(...match) + escaped)) };
}
