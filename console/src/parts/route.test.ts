import { expect, test } from "vitest";
import { link, parse } from "./route";

test.each([
  ["", { page: "", query: {} }],
  ["#/detect", { page: "detect", query: {} }],
  ["#/detect?state=failed&label=a%26b", { page: "detect", query: { state: "failed", label: "a&b" } }],
])("%j leads to its page and filters", (hash, route) => {
  expect(parse(hash)).toEqual(route);
});

test("a link leads back to what it was made of, without empty filters", () => {
  const query = { label: "a&b=c ü", state: "", day: undefined };

  expect(parse(link("detect", query))).toEqual({ page: "detect", query: { label: "a&b=c ü" } });
});
