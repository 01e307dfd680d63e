/**
 * Where the site's pages and files are. In a frozen site (app/freeze), which has no server, /run?id=... is
 * run.html?id=... beside the other pages, and a download is a packed file in data/.
 */

const { frozen: path, pages = "" } = document.documentElement.dataset;

/** Whether this is a frozen site: what needs a server is not there. */
export const frozen = path !== undefined;

/** The path of this page in the live site: "/run". */
export const page = path ?? location.pathname;

const PLAYER = "/player/"; // a page of static files, which is the same everywhere
const PAGES = new Set(pages.split(" "));

/** `address` of our pages or files ("/run?id=...", "/static/..."), as this site has it; null if a frozen one lacks it. */
export function at(address) {
  if (!frozen || !address?.startsWith("/")) return address;
  if (address.startsWith("/static/")) return address.slice(1);
  if (address.startsWith("/api/")) return fileOf(address);
  if (address.startsWith(PLAYER)) return address.slice(1);
  const [, path, rest] = /^([^?#]*)(.*)$/s.exec(address);
  return PAGES.has(path) ? `${path === "/" ? "index" : path.slice(1)}.html${rest}` : null;
}

/** The file with the response to an address of the API; app/freeze/folder.py names it in the same way. */
export function fileOf(address) {
  const { pathname, searchParams } = new URL(address, location.href);
  const values = [...searchParams.values()].reverse().map((value) => value.replace(/[^A-Za-z0-9._-]/g, "_"));
  return `data/${[pathname.replace("/api/", "").replace(/\/$/, ""), ...values].join(".")}.gz`;
}
