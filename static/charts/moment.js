/**
 * The chosen moment in a chart over the epochs: a line that marks it, and a click that chooses another.
 */

import { token } from "../base/theme.js";

/** The shapes that mark the moment; none while the view follows the newest. */
export function marker(data, view) {
  if (view.step === null) return [];
  const { epoch } = view.snapshot(data) ?? {};
  if (epoch === undefined) return [];
  const line = { color: token("ink"), width: 1.5, dash: "dash" };
  return [{ type: "line", x0: epoch, x1: epoch, yref: "paper", y0: 0, y1: 1, line }];
}

/** A listener for clicks, called with the epoch. */
export const momentAt = (data, view) => (epoch) => {
  const far = (snapshot) => Math.abs(snapshot.epoch - epoch);
  const nearest = data.snapshots.reduce((best, other) => (far(other) < far(best) ? other : best), data.snapshots[0]);
  if (nearest) view.set({ step: nearest.step });
};
