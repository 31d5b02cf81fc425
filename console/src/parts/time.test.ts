import { expect, test } from "vitest";
import { dayBounds, fromNow, isDay, localTime } from "./time";

const NOW = Date.parse("2026-01-31T12:00:00Z");
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

test.each([
  ["2026-01-31T11:57:00Z", -3, "minute"],
  ["2026-01-31T12:59:00Z", 59, "minute"],
  ["2026-01-31T14:00:00Z", 2, "hour"],
  ["2026-01-29T13:00:00Z", -47, "hour"],
  ["2026-02-02T12:00:00Z", 2, "day"],
] as const)("%s is %i %s away", (at, count, unit) => {
  expect(fromNow(at, NOW)).toBe(relative.format(count, unit));
});

test("a time that is not there is shown as nothing", () => {
  expect(localTime("")).toBe("");
  expect(localTime("2026-01-31T23:30:00Z")).toContain("2026");
});

test.each([
  ["2026-01-31", true],
  ["2026-13-01", false],
  ["2026-1-31", false],
  ["2026-01-3", false],
  ["", false],
])("%j is a whole day: %s", (text, expected) => {
  expect(isDay(text)).toBe(expected);
});

test("a day begins and ends at the reader's midnights", () => {
  expect(dayBounds("2026-01-31")).toEqual({
    from: "2026-01-30T23:00:00.000Z",
    to: "2026-01-31T23:00:00.000Z",
  });
});

test("a day in which the clock goes forward has 23 hours", () => {
  expect(dayBounds("2026-03-29")).toEqual({
    from: "2026-03-28T23:00:00.000Z",
    to: "2026-03-29T22:00:00.000Z",
  });
});
