import { expect, test } from "vitest";
import type { Hour } from "../../api/types";
import { NOTHING, byDay, dayOf, shareAgreed, shareForPeople } from "./days";

function hour(at: string, counts: Partial<Hour>): Hour {
  return { ...NOTHING, ...counts, at };
}

test("hours are summed to the reader's days, not to UTC's", () => {
  const days = byDay([
    hour("2026-01-30T22:00:00Z", { accepted: 1 }),
    hour("2026-01-30T23:00:00Z", { accepted: 2, failed: 1 }),
    hour("2026-01-31T22:00:00Z", { accepted: 4 }),
  ]);

  expect([...days.keys()]).toEqual([
    dayOf(new Date(2026, 0, 30)),
    dayOf(new Date(2026, 0, 31)),
  ]);
  expect([...days.values()].map(({ accepted, failed }) => [accepted, failed])).toEqual([
    [1, 0],
    [6, 1],
  ]);
});

test("a day in which the clock changes is one day", () => {
  const days = byDay([
    hour("2026-03-28T23:00:00Z", { review: 1 }),
    hour("2026-03-29T21:00:00Z", { review: 1 }),
    hour("2026-03-29T22:00:00Z", { review: 1 }),
  ]);

  expect([...days.values()].map(({ review }) => review)).toEqual([2, 1]);
});

test("of the images that a model read, those that it left to people", () => {
  expect(shareForPeople({ ...NOTHING, accepted: 3, review: 1, unsure: 0, failed: 9 })).toBe(0.25);
  expect(shareForPeople({ ...NOTHING, accepted: 2, review: 1, unsure: 1 })).toBe(0.5);
});

test("of the quality samples, those in which people agree with the model", () => {
  expect(shareAgreed({ ...NOTHING, samples: 4, agreed: 3 })).toBe(0.75);
});

test("nothing has no share", () => {
  expect(shareForPeople(NOTHING)).toBeNull();
  expect(shareAgreed(NOTHING)).toBeNull();
});
