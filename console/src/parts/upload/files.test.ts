import { expect, test } from "vitest";
import { chosenFiles, droppedFiles, fault, megabytes } from "./files";

const TYPES = ["image/png", "image/jpeg"];
const LIMIT = 15 * 2 ** 20;

function png(size: number): File {
  return new File([new Uint8Array(size)], "a.png", { type: "image/png" });
}

/** A file or folder as a browser hands it over; a folder comes in batches of one. */
function entry(name: string, inner?: FileSystemEntry[]): FileSystemEntry {
  const rest = [...(inner ?? [])];
  return {
    name,
    isFile: !inner,
    file: (resolve: (file: File) => void, reject: (error: Error) => void) => {
      if (name.startsWith("gone")) reject(new Error("NotFoundError"));
      else resolve(new File(["x"], name));
    },
    createReader: () => ({
      readEntries: (resolve: (batch: FileSystemEntry[]) => void) => resolve(rest.splice(0, 1)),
    }),
  } as unknown as FileSystemEntry;
}

function drop(...entries: (FileSystemEntry | null)[]) {
  const items = entries.map((one) => ({ webkitGetAsEntry: () => one }));
  return droppedFiles(items as unknown as DataTransferItemList);
}

test("a drop gives the files of all folders with their paths", async () => {
  const folder = entry("pets", [entry("cats", [entry("1.png"), entry("2.png")]), entry("3.png")]);

  const { files, unreadable } = await drop(folder, entry("4.png"), null);

  const paths = ["pets/cats/1.png", "pets/cats/2.png", "pets/3.png", "4.png"];
  expect(files.map(({ name }) => name)).toEqual(paths);
  expect(unreadable).toEqual([]);
});

test("hidden files and folders are left out", async () => {
  const { files } = await drop(entry(".git", [entry("1.png")]), entry(".DS_Store"));

  expect(files).toEqual([]);
});

test("what cannot be read is named, and stops nothing else", async () => {
  const { files, unreadable } = await drop(entry("pets", [entry("gone.png"), entry("1.png")]));

  expect(files.map(({ name }) => name)).toEqual(["pets/1.png"]);
  expect(unreadable.map(({ name }) => name)).toEqual(["pets/gone.png"]);
});

test("chosen files have their folders, if a folder was chosen", () => {
  const inFolder = Object.assign(png(1), { webkitRelativePath: "cats/a.png" });
  const hidden = Object.assign(png(1), { webkitRelativePath: "cats/.a.png" });

  const { files } = chosenFiles([inFolder, hidden, png(1)]);

  expect(files.map(({ name }) => name)).toEqual(["cats/a.png", "a.png"]);
});

test.each([
  ["of another type", new File(["x"], "a.gif", { type: "image/gif" }), /not a PNG or JPEG/],
  ["too large", png(LIMIT + 1), /^It has 15 MB, and an image has at most 15 MB/],
  ["empty", png(0), /^It is empty/],
])("a file that is %s cannot be sent", (_, file, reason) => {
  expect(fault({ file, name: file.name }, TYPES, LIMIT)).toMatch(reason);
});

test("a file of the largest size can be sent", () => {
  expect(fault({ file: png(LIMIT), name: "a.png" }, TYPES, LIMIT)).toBe("");
});

test("megabytes are written without a needless digit", () => {
  expect([megabytes(LIMIT), megabytes(1.25 * 2 ** 20)]).toEqual(["15 MB", "1.3 MB"]);
});
