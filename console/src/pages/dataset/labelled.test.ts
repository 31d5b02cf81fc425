import { expect, test } from "vitest";
import type { ImageFile } from "../../parts/upload/files";
import { countLabels, planLabels } from "./labelled";

function image(name: string): ImageFile {
  return { name, file: new File(["x"], name) };
}

/** What a drop of `names` would upload, as "label/name", when `label` is written above it. */
function planned(names: string[], label = ""): string[] {
  const selection = { files: names.map(image), unreadable: [] };
  return planLabels(selection, label, () => "").files.map(({ label, name }) => `${label}/${name}`);
}

test.each([
  ["files have the label that is written", ["1.png", "2.png"], "cat", ["cat/1.png", "cat/2.png"]],
  ["one folder names a label", ["cats/1.png"], "", ["cats/1.png"]],
  ["a written label replaces one folder's", ["cats/1.png"], "dog", ["dog/1.png"]],
  ["sub-folders name labels", ["all/cat/1.png", "all/dog/2.png"], "x", ["cat/1.png", "dog/2.png"]],
  ["several folders name labels", ["cat/1.png", "dog/2.png"], "x", ["cat/1.png", "dog/2.png"]],
  ["deeper folders stay in the name", ["all/cat/old/1.png"], "", ["cat/old/1.png"]],
])("%s", (_, names, label, expected) => {
  expect(planned(names, label)).toEqual(expected);
});

test("a file without a label is left out, with the reason", () => {
  const plan = planLabels({ files: [image("1.png")], unreadable: [] }, "", () => "");

  expect(plan.files).toEqual([]);
  expect(plan.leftOut).toMatchObject([{ name: "1.png", reason: /It has no label/ }]);
});

test("a file of a nested drop that is in no sub-folder is left out", () => {
  expect(planned(["all/cat/1.png", "all/2.png"])).toEqual(["cat/1.png"]);
});

test("a faulty or unreadable file is left out and names no label", () => {
  const selection = {
    files: [image("notes/a.txt"), image("cat/1.png")],
    unreadable: [{ name: "b.png", reason: "gone" }],
  };

  const plan = planLabels(selection, "", ({ name }) => (name.endsWith(".txt") ? "no image" : ""));

  expect(plan.files.map(({ label }) => label)).toEqual(["cat"]);
  expect(plan.leftOut).toEqual([
    { name: "b.png", reason: "gone" },
    { name: "notes/a.txt", reason: "no image" },
  ]);
});

test("only labels that folders name are asked about", () => {
  const byFolder = (names: string[], label: string) =>
    planLabels({ files: names.map(image), unreadable: [] }, label, () => "").byFolder;

  expect(byFolder(["1.png"], "cat")).toBe(false);
  expect(byFolder(["cats/1.png"], "cat")).toBe(false);
  expect(byFolder(["cats/1.png"], "")).toBe(true);
  expect(byFolder(["cat/1.png", "dog/2.png"], "cat")).toBe(true);
});

test("labels are counted by name", () => {
  const files = ["b", "a", "b"].map((label) => ({ ...image("1.png"), label }));

  expect(countLabels(files)).toEqual([
    ["a", 1],
    ["b", 2],
  ]);
});
