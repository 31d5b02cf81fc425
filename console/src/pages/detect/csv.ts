/** Results as a table that spreadsheets open (RFC 4180). */

import type { Detection } from "../../api";

const COLUMNS = ["image", "state", "label", "confidence", "by", "version", "uploaded", "why"];

export function csv(found: Detection[]): string {
  const rows = found.map(({ image, state, labels, version, at, reason }) => {
    const first = labels[0];
    return [image, state, first?.name, first?.confidence, first?.by, version, at, reason];
  });
  return [COLUMNS, ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

/** Quoted; what a spreadsheet would take for a formula begins with an apostrophe. */
function cell(value: string | number | undefined): string {
  if (typeof value === "number" || value === undefined) return String(value ?? "");
  const harmless = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return `"${harmless.replaceAll('"', '""')}"`;
}
