/**
 * Numbers and words as a file that table programs read.
 */

/** Rows as CSV: lines end with CR LF (RFC 4180), and no cell starts a formula, unless no table program reads it. */
export const csv = (rows, guarded = true) => rows.map((row) => `${row.map((value) => cell(value, guarded)).join(",")}\r\n`).join("");

function cell(value, guarded) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = guarded && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
