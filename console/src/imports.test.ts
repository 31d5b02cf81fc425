/** Imports go one way: main -> App -> pages -> parts -> api, types too; no page imports another. */

import ts from "typescript";
import { expect, test } from "vitest";

const LAYERS = [/^api\//, /^parts\//, /^pages\//, /^App\.tsx$/, /^main\.tsx$/];
const PAGES = 2;

const TEXTS = import.meta.glob<string>(["./**/*.{ts,tsx}", "!./**/*.test.ts"], {
  query: "?raw",
  import: "default",
  eager: true,
});
const FILES = Object.keys(TEXTS).map((path) => path.slice("./".length));

interface Import {
  from: string;
  to: string;
}

/** One for each import of a file of ours; a name that leads nowhere stays as it is written. */
const IMPORTS: Import[] = Object.entries(TEXTS).flatMap(([path, text]) =>
  ts
    .preProcessFile(text)
    .importedFiles.map(({ fileName }) => fileName)
    .filter((name) => name.startsWith(".") && !name.endsWith(".css"))
    .map((name) => {
      const target = new URL(name, `file:///${path}`).pathname.slice("/".length);
      const to = FILES.find((file) => file.replace(/\.tsx?$/, "") === target) ?? name;
      return { from: path.slice("./".length), to };
    }),
);

function layer(file: string): number {
  return LAYERS.findIndex((pattern) => pattern.test(file));
}

function folder(file: string): string {
  return file.slice(0, file.lastIndexOf("/"));
}

test("every import leads to a file, and every file is in a layer", () => {
  expect(IMPORTS.length).toBeGreaterThan(FILES.length);
  expect(IMPORTS.filter(({ to }) => !FILES.includes(to))).toEqual([]);
  expect(FILES.filter((file) => layer(file) < 0)).toEqual([]);
});

test("nothing imports from a layer above its own", () => {
  expect(IMPORTS.filter(({ from, to }) => layer(to) > layer(from))).toEqual([]);
});

test("no page imports files of another page", () => {
  const between = IMPORTS.filter(({ from, to }) => layer(from) === PAGES && layer(to) === PAGES);

  expect(between.filter(({ from, to }) => folder(from) !== folder(to))).toEqual([]);
});

test("no imports go round in a circle", () => {
  const done = new Set<string>();
  const circles: string[] = [];

  function follow(file: string, path: string[]) {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(" -> "));
    if (done.has(file)) return;
    done.add(file);
    for (const { from, to } of IMPORTS) if (from === file) follow(to, [...path, file]);
  }
  for (const file of FILES) follow(file, []);

  expect(circles).toEqual([]);
});
