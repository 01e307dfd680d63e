/**
 * Columns that the tables of several charts share (numbers.js).
 */

import { LETTERS } from "../server/catalog.js";
import { epochOf, percent, whole } from "../base/format.js";

export const stepColumn = { title: "Step", name: "step", text: whole };

export const epochColumn = { title: "Epoch", name: "epoch", text: (value) => epochOf(value, 2) };

/** A column of text; `name` is its heading in files. */
export const wordsColumn = (title, name = title.toLowerCase()) => ({ title, name, text: String, words: true });

export const countColumn = (title, name) => ({ title, name, text: whole });

/** A column of shares (0..1), shown in percent. */
export const shareColumn = (title, name) => ({ title, name, text: (value) => percent(value) });

/** A column of values, shown with four significant digits. */
export const valueColumn = (title, name) => ({ title, name, text: (value) => String(Number(value.toPrecision(4))) });

/** A column for each entry of a histogram of `of`; `centres` are the entries' centres. */
export const binColumns = (centres, of) =>
  centres.map((centre) => ({
    title: `${LETTERS[of]} ≈ ${centre.toFixed(2)}`,
    name: `${of} ${centre.toFixed(2)}`,
    text: whole,
  }));

/** The note about the train points of a long run. */
export const THINNED =
  "For a long run, some train points are left out, but no peaks; “Points as CSV” under Download has all of them.";
