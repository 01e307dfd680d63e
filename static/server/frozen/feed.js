/**
 * The feed of a frozen site: every run has ended, so the first answer has all of it (app/live/watched.py).
 */

import { unpackedAnswer } from "./files.js";

const IDLE = { queued: 0, running: 0, workers: 0, mode: "open" };
const LISTS = { points: ([cursor]) => cursor, snapshots: ({ id }) => id, log: ({ id }) => id, disabled: ([cursor]) => cursor, speeds: ([cursor]) => cursor };
const ROUND = 5; // significant digits, as in the feed

/** The response to POST /api/feed. */
export async function fed({ runs, layer }) {
  const answers = Object.entries(runs).map(async ([id, cursors]) => [id, await delta(id, cursors, layer)]);
  return { runs: Object.fromEntries(await Promise.all(answers)), interval_ms: 1000, server: IDLE };
}

/** What is new of a run since `cursors`; null: there is no such run. */
async function delta(id, cursors, layer) {
  const whole = await unpackedAnswer(`/api/runs/${id}`).catch((error) => {
    if (error.status === 404) return null;
    throw error;
  });
  if (!whole) return null;
  const { feed } = whole;
  const news = { ...feed, latest: cursors.points === null ? null : feed.latest, cursor: {} };
  for (const [kind, cursorOf] of Object.entries(LISTS)) {
    const since = cursors[kind] ?? null;
    news[kind] = since === null ? [] : feed[kind].filter((row) => cursorOf(row) > since);
    news.cursor[kind] = news[kind].length ? cursorOf(news[kind].at(-1)) : since;
  }
  if (layer !== null && news.snapshots.length) news.snapshots = await ofLayer(id, layer, news.snapshots);
  return news;
}

/** `rows` with the histograms of one layer; without the moments of which there are none. */
async function ofLayer(id, layer, rows) {
  const { snapshots, layers } = await unpackedAnswer(`/api/runs/${id}/snapshots`);
  if (layer >= layers.length) return [];
  const moments = new Map(snapshots.map((moment) => [moment.step, moment]));
  const short = (values) => values.map((value) => Number(value.toPrecision(ROUND)));
  return rows.flatMap((row) => {
    const moment = moments.get(row.step);
    if (!moment) return [];
    const { gamma, beta } = moment;
    return [
      {
        ...row,
        gamma: gamma.counts[layer],
        beta: beta.counts[layer],
        gamma_quantiles: short(gamma.quantiles[layer]),
        beta_quantiles: short(beta.quantiles[layer]),
      },
    ];
  });
}
