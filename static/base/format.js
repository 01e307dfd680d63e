/**
 * Numbers, times and durations as a person reads them: in English, as all our words, in every browser.
 */

const count = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
// British, because 30 Nov 2026, 14:05 is read the same everywhere.
const moment = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
const date = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium" });
const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const ago = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

export const NONE = "–";

/** 175258 -> 175,258 */
export const whole = (value) => (value === null || value === undefined ? NONE : count.format(Math.round(value)));

/** 26600000 -> 26.6M */
export const compact = (value) => (value === null || value === undefined ? NONE : short.format(value));

/** 0.6432 -> 64.3%; small shares keep two significant digits, down to <0.01%. */
export function percent(share, digits = 1) {
  if (share === null || share === undefined) return NONE;
  const value = share * 100;
  if (value > 0 && value < 0.01) return "<0.01%";
  const shown = value > 0 && value < 1 ? value.toPrecision(2) : value.toFixed(digits);
  return `${shown}%`;
}

/** 13.0 -> 13, 12.53 -> 12.5: the number of an epoch. */
export const epochOf = (value, digits = 1) => String(Number(value.toFixed(digits)));

const SIZES = ["B", "kB", "MB", "GB", "TB"];

/** 812345678 -> 812 MB; below ten with one digit: 3.1 GB. */
export function bytes(value) {
  if (value === null || value === undefined) return NONE;
  const step = Math.min(SIZES.length - 1, Math.floor(Math.log10(Math.max(1, value)) / 3));
  const scaled = value / 1000 ** step;
  return `${step > 0 && scaled < 9.95 ? scaled.toFixed(1) : Math.round(scaled)}\u202f${SIZES[step]}`;
}

/** Cosine down to zero -> cosine down to zero */
export const lowered = (words) => words[0].toLowerCase() + words.slice(1);

/** cosine down to zero -> Cosine down to zero */
export const raised = (words) => words[0].toUpperCase() + words.slice(1);

/** With a full stop at its end. */
export const sentence = (words) => (/[.!?]$/.test(words) ? words : `${words}.`);

/** 0.123456 -> 0.1235 */
export const decimal = (value, digits = 4) => (value === null || value === undefined ? NONE : value.toFixed(digits));

/** Seconds -> 8 s, 3 min 20 s, 2 h 05 min, 3 days */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return NONE;
  const all = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  if (all < 1) return "less than 1 s";
  if (all < 60) return `${all} s`;
  if (all < 3600) return rest && minutes < 10 ? `${minutes} min ${rest} s` : `${minutes} min`;
  if (all < 172800) return `${hours} h ${String(minutes).padStart(2, "0")} min`;
  return `${Math.round(all / 86400)} days`;
}

/** Up to this many seconds, a range is told in a unit of so many seconds, in steps of so many units. */
const SPANS = [
  [20, "s", 1, 1],
  [100, "s", 1, 5],
  [5400, "min", 60, 1],
  [36_000, "h", 3600, 0.5],
  [172_800, "h", 3600, 1],
  [Infinity, "days", 86_400, 1],
];

/** {low, high} in seconds -> "20 to 45 s": an estimate, in one unit and no finer than it can be known. */
export function range({ low, high }) {
  const [, unit, size, step] = SPANS.find(([most]) => high <= most);
  const rounded = (seconds, round = Math.round) => round(seconds / size / step) * step;
  const [a, b] = [rounded(low), rounded(high)];
  if (a === 0) return high <= 5 ? "a few seconds" : `less than ${rounded(high, Math.ceil)} ${unit}`;
  return a === b ? `about ${a} ${unit}` : `${a} to ${b} ${unit}`;
}

const UNITS = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];

/** Unix seconds -> "5 minutes ago". */
export function since(unix) {
  const seconds = unix - Date.now() / 1000;
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
  return Math.abs(seconds) < 10 ? "just now" : ago.format(Math.round(seconds / size), unit);
}

/** Unix seconds -> 30 Nov 2026, 14:05, in the reader's time zone. */
export const when = (unix) => (unix ? moment.format(unix * 1000) : NONE);

/** Unix seconds -> date. */
export const day = (unix) => (unix ? date.format(unix * 1000) : NONE);

/** Unix seconds -> time of day. */
export const time = (unix) => (unix ? clock.format(unix * 1000) : NONE);

/** The labels of a worker in words; "" if it has none. */
export const labelWords = (labels) => (labels.length ? `${labels.length === 1 ? "label" : "labels"} ${labels.join(", ")}` : "");
