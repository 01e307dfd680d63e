/**
 * The page's view as a readable query string: only what differs from the default view. The server reads it
 * (app/views/comparison.py).
 */

const LISTS = ["runs", "without", "state", "policy", "architecture", "dataset"];

/** runs=a,b&group=policy of {source, view, usual}. */
export function viewQuery({ source, view, usual }) {
  const query = new URLSearchParams();
  for (const key of LISTS) if (source[key].length) query.set(key, source[key].join(","));
  for (const key of ["study", "text", "tag", "room"]) if (source[key]) query.set(key, source[key]);
  for (const [key, value] of Object.entries(view)) {
    const text = written(value);
    if (text !== written(usual[key])) query.set(key, text);
  }
  return query.toString();
}

function written(value) {
  if (typeof value === "boolean") return value ? "1" : "0";
  return Array.isArray(value) ? value.join(",") : String(value ?? "");
}

/** Whether new runs may match later. */
export const mayGrow = ({ runs, study, ...filters }) =>
  !runs.length && (study !== null || Object.values(filters).some((value) => value?.length > 0));
