/**
 * Rows as a CSV file for table programs.
 */

/** Rows as CSV: lines end with CR LF (RFC 4180). `guarded`: no cell can start a formula in a table program. */
export const csv = (rows, guarded = true) => rows.map((row) => `${row.map((value) => cell(value, guarded)).join(",")}\r\n`).join("");

function cell(value, guarded) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = guarded && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
