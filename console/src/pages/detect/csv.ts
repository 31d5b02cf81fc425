/** Results as a table that spreadsheets open (RFC 4180). */

import type { Detection } from "../../api/types";

const COLUMNS = [
  "image",
  "state",
  "label",
  "confidence",
  "by",
  "version",
  "uploaded",
  "why",
  "all labels",
];

export function csv(detections: Detection[]): string {
  const rows = detections.map(({ image, state, labels, version, at, reason }) => {
    const first = labels[0];
    const all = labels.map(({ name, confidence }) => `${name} ${confidence}`).join("; ");
    return [image, state, first?.name, first?.confidence, first?.by, version, at, reason, all];
  });
  return [COLUMNS, ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

/** Quoted. What a spreadsheet would take for a formula, also in wide signs, gets an apostrophe. */
function cell(value: string | number | undefined): string {
  if (typeof value === "number" || value === undefined) return String(value ?? "");
  const harmless = /^[=+\-@＝＋－＠\t\r\n]/.test(value) ? `'${value}` : value;
  return `"${harmless.replaceAll('"', '""')}"`;
}
