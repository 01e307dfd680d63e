/**
 * Requests to the server, and the owner tokens of the runs that this browser launched.
 */

import { frozen } from "../base/place.js";
import { get, set } from "../base/storage.js";

/**
 * A failed request: `message` is for a person, `status` is 0 if the server was not reached, and `retry_ms` is how long
 * the server asks to wait, 0 if it does not say. `problems`: {field, sentence} for each wrong field of the body.
 */
export class Refusal extends Error {
  constructor(message, status, retry_ms = 0, problems = []) {
    super(message);
    this.status = status;
    this.retry_ms = retry_ms;
    this.problems = problems;
  }

  /** Whether asking again later makes sense. */
  get passing() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

const VISITOR = "onlybn.visitor";

/** The token by which the server tells this browser from others, for fair shares; made once. */
function visitorToken() {
  const kept = get(VISITOR);
  if (kept) return kept;
  const random = crypto.getRandomValues(new Uint8Array(18));
  set(VISITOR, Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join(""));
  return get(VISITOR);
}

const PATIENCE_S = 30;
const UPLOAD_PATIENCE_S = 300; // megabytes over a slow line

/** Sends a request, a POST if there is a body. Returns the JSON of the response. Throws Refusal. */
export const ask = (path, body, headers = {}) =>
  body === undefined
    ? request(path, { headers })
    : request(path, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify(body),
      });

/** Sends a request of another `method`, with a JSON body unless it is undefined. Returns the JSON of the response. */
export const send = (method, path, body, headers = {}) =>
  request(path, {
    method,
    ...(body === undefined ? { headers } : { headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) }),
  });

/** Sends a file. Returns the JSON of the response. Throws Refusal. */
export const upload = (path, file) =>
  request(
    path,
    { method: "POST", headers: { "content-type": "application/octet-stream" }, body: file },
    UPLOAD_PATIENCE_S,
  );

/** Sends the curves of a training in a tab (JSON lines), whose capsule was uploaded. Returns {id, url, owner_token}. */
export const sendTraining = (capsule, lines, key) =>
  request(
    `/api/tabs?capsule=${capsule}`,
    { method: "POST", headers: { "content-type": "application/jsonl", "Idempotency-Key": key }, body: lines },
    UPLOAD_PATIENCE_S,
  );

/** Sends text unchanged. Returns the JSON of the response. Throws Refusal. */
export const sendText = (path, text) =>
  request(path, { method: "POST", headers: { "content-type": "text/plain" }, body: text });

/** Gives up a connection that stalls before or during the response, because all panels of a page wait for it. */
async function request(path, options, patience_s = PATIENCE_S) {
  if (frozen) return fromFiles(path, options.body);
  let response, answer;
  try {
    const token = visitorToken();
    const headers = token ? { ...options.headers, "X-Visitor-Token": token } : options.headers;
    response = await fetch(path, { ...options, headers, signal: AbortSignal.timeout(patience_s * 1000) });
    answer = await response.json().catch(nullIfNoJson);
  } catch (error) {
    throw new Refusal(
      error.name === "TimeoutError"
        ? `The server has not answered for ${patience_s} seconds. It may still complete the request.`
        : "The server cannot be reached. It may be restarting; nothing was lost.",
      0,
    );
  }
  if (!response.ok)
    throw new Refusal(reason(answer, response.status), response.status, patienceOf(response.headers), answer?.problems ?? []);
  return answer;
}

/** The same in a frozen site, which has files in place of a server. */
async function fromFiles(path, body) {
  const source = await import("./frozen/source.js");
  return source.answer(path, body).catch((error) => {
    throw new Refusal(error.message, error.status ?? 0);
  });
}

const LONGEST_MS = 600_000; // a proxy may say more, but we wait no longer

/** The header Retry-After, which has seconds or a date, as milliseconds from now. */
function patienceOf(headers) {
  const said = headers.get("retry-after");
  if (!said) return 0;
  const ms = /^\d+$/.test(said.trim()) ? Number(said) * 1000 : Date.parse(said) - Date.now();
  return Math.min(LONGEST_MS, Math.max(0, ms)) || 0;
}

function nullIfNoJson(error) {
  if (error instanceof SyntaxError) return null;
  throw error;
}

function reason(answer, status) {
  if (typeof answer?.detail === "string") return answer.detail;
  if (status === 429) return "Too many requests from here. Try again in a moment.";
  return status >= 500
    ? `The server has a problem (${status}). Try again in a moment.`
    : `The server refused the request (${status}).`;
}

const OWNED = "onlybn.owner.";

/**
 * Launches a run and stores the token that lets this browser cancel it. `of`: its {question, room, label}, if any; `webhook`:
 * the address that is told of its end, or "".
 */
export async function launchRun(spec, of = {}, webhook = "") {
  const query = new URLSearchParams(Object.entries(of).filter(([, value]) => value)).toString();
  const launched = await ask(`/api/runs${query && `?${query}`}`, spec, webhook ? { "X-Webhook": webhook } : {});
  keepToken(launched);
  return launched;
}

/** Stores the owner token of a run or a room that this browser has just made. */
export const keepToken = ({ id, owner_token }) => set(OWNED + id, owner_token);

/** The token of a run or of a study that this browser launched, or null. */
export const ownerToken = (id) => (frozen ? null : get(OWNED + id));

/** The token that lets this browser cancel a run: the run's own, or that of the study that launched it; or null. */
export const runToken = ({ id, study }) => ownerToken(id) ?? (study ? ownerToken(study) : null);

/** Forgets the token of a run that is no longer this browser's. */
export const disown = ({ id }) => set(OWNED + id, null);

/** Tells the operator that the name of a run is offensive. */
export const reportName = ({ id }) => ask(`/api/runs/${encodeURIComponent(id)}/report-name`, {});

/** Cancels a run whose token this browser has. Returns the run. */
export const cancel = (run) => asOwner(run, "cancel");

/** Resumes a failed or cancelled run whose token this browser has. Returns the run. */
export const resume = (run) => asOwner(run, "resume");

/** Removes a run whose token this browser has; `restore` brings it back within an hour. */
export const remove = (run) => send("DELETE", `/api/runs/${encodeURIComponent(run.id)}`, undefined, owned(run));

/** Changes those of `name`, `note` and `tags` that `values` has. Returns the run. */
export const labelRun = (run, values) => send("PATCH", `/api/runs/${encodeURIComponent(run.id)}`, values, owned(run));

/** Undoes a removal. */
export const restore = (run) => asOwner(run, "restore");

/** Cancels, removes or restores ("cancel", "remove", "restore") runs whose tokens this browser has. */
export const changeRuns = (action, runs) =>
  ask("/api/runs/changes", { action, runs: Object.fromEntries(runs.map((run) => [run.id, runToken(run)])) });

/** Reorders `runs`: queued runs whose tokens this browser has. Returns the ids of those that are still queued. */
export const orderRuns = async (runs) => {
  const tokens = Object.fromEntries(runs.map((run) => [run.id, runToken(run)]));
  return (await ask("/api/runs/order", { runs: runs.map(({ id }) => id), tokens })).runs;
};

const asOwner = (run, what) => ask(`/api/runs/${encodeURIComponent(run.id)}/${what}`, {}, owned(run));

const owned = (run) => ({ "X-Owner-Token": runToken(run) });
