import { expect, test } from "vitest";
import type { Detection } from "../../api/types";
import { csv } from "./csv";

const DETECTION: Detection = {
  id: "1",
  image: "a.png",
  state: "accepted",
  labels: [
    { name: "cat", confidence: 93.5, by: "model" },
    { name: "dog", confidence: 4, by: "model" },
  ],
  version: "v1",
  at: "2026-01-31T12:00:00Z",
  review: "",
  reason: "",
  picture: "https://images/a.png",
};

/** The line of one detection that differs from the usual one in `change`. */
function line(change: Partial<Detection>): string {
  return csv([{ ...DETECTION, ...change }]).split("\r\n")[1] ?? "";
}

test("a heading and a line for each detection, each with its end", () => {
  expect(csv([DETECTION])).toBe(
    '"image","state","label","confidence","by","version","uploaded","why","all labels"\r\n' +
      '"a.png","accepted","cat",93.5,"model","v1","2026-01-31T12:00:00Z","","cat 93.5; dog 4"\r\n',
  );
});

test("a detection without labels has empty cells for them", () => {
  expect(line({ labels: [] })).toBe('"a.png","accepted",,,,"v1","2026-01-31T12:00:00Z","",""');
});

test("quotes, commas and line ends stay inside their cell", () => {
  expect(csv([{ ...DETECTION, reason: 'a "b", c\r\nd' }])).toContain(',"a ""b"", c\r\nd",');
});

test.each(["=1+1", "+1", "-1", "@a", "＝1", "＋1", "－1", "＠a", "\t=1", "\r=1", "\n=1"])(
  "a spreadsheet takes %j for no formula",
  (image) => {
    expect(csv([{ ...DETECTION, image }])).toContain(`\r\n"'${image}",`);
  },
);
