import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ApiError } from "../../api/client";
import type { Task } from "../../api/types";
import { Desk } from "./desk";

const HOLD_MS = 4000;
const MINUTE = 60_000;

function task(id: string): Task {
  return {
    id,
    image: `${id}.png`,
    picture: `https://images/${id}`,
    labels: ["cat", "dog"],
    guess: [],
    reason: "unsure",
    until: "",
    wanted: 1,
  };
}

/** Loupe with tasks for one reviewer. It keeps what the desk does. */
class Reviews {
  readonly answered: string[] = [];
  readonly released: string[] = [];
  claims = 0;
  failure: Error | undefined;

  constructor(private readonly open: string[]) {}

  readonly claim = (count: number) => {
    this.claims++;
    return Promise.resolve({
      tasks: this.open.slice(0, count).map(task),
      waiting: Math.max(0, this.open.length - count),
      mine: { today: this.answered.length, total: this.answered.length },
    });
  };

  readonly answer = (id: string, label: string) => {
    if (this.failure) return Promise.reject(this.failure);
    this.answered.push(`${id} ${label}`);
    this.forget(id);
    return Promise.resolve({ mine: { today: this.answered.length, total: this.answered.length } });
  };

  readonly release = (id: string, skip: boolean) => {
    this.released.push(skip ? `${id} skipped` : id);
    if (skip) this.forget(id);
    return Promise.resolve({});
  };

  private forget(id: string) {
    this.open.splice(this.open.indexOf(id), 1);
  }
}

let desk: Desk;
let reviews: Reviews;
let preloaded: string[];

/** A desk with `ids` to answer, whose first claim is under way. */
function start(...ids: string[]) {
  reviews = new Reviews(ids);
  desk = new Desk(reviews, (tasks) => {
    preloaded = tasks.map(({ id }) => id);
  });
  desk.open();
}

async function open(...ids: string[]) {
  start(...ids);
  await settle();
}

/** All answers of Loupe that are under way have arrived. */
async function settle() {
  await vi.advanceTimersByTimeAsync(0);
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(async () => {
  await desk.close();
  vi.useRealTimers();
});

test("three tasks are in hand, with their images, and the rest is counted", async () => {
  await open("a", "b", "c", "d", "e");

  expect(desk.view().current?.id).toBe("a");
  expect(preloaded).toEqual(["a", "b", "c"]);
  expect(desk.view().toDo).toBe(5);
  expect(desk.view().looking).toBe(false);
});

test("an empty queue is seen, after it was looked at", async () => {
  await open();

  expect(desk.view().current).toBeUndefined();
  expect(desk.view().looking).toBe(false);
});

test("the next task is there at once; the answer is held back until its time is up", async () => {
  await open("a", "b");

  desk.answer("cat");

  expect(desk.view().current?.id).toBe("b");
  expect(desk.view().last).toMatchObject({ label: "cat", held: true });
  expect(desk.view().mine.total).toBe(1);
  await vi.advanceTimersByTimeAsync(HOLD_MS - 1);
  expect(reviews.answered).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(reviews.answered).toEqual(["a cat"]);
  expect(desk.view().last?.held).toBe(false);
  expect(desk.view().mine.total).toBe(1);
});

test("the next answer sends the one before", async () => {
  await open("a", "b", "c");

  desk.answer("cat");
  desk.answer("dog");
  await settle();

  expect(reviews.answered).toEqual(["a cat"]);
  expect(desk.view().last).toMatchObject({ label: "dog", held: true });
});

test("undo brings the task back, and its answer is never sent", async () => {
  await open("a", "b");

  desk.answer("cat");
  desk.undo();
  await vi.advanceTimersByTimeAsync(2 * HOLD_MS);

  expect(desk.view().current?.id).toBe("a");
  expect(desk.view().last).toBeUndefined();
  expect(desk.view().mine.total).toBe(0);
  expect(reviews.answered).toEqual([]);
});

test("an answer that was sent cannot be undone", async () => {
  await open("a", "b");

  desk.answer("cat");
  await vi.advanceTimersByTimeAsync(HOLD_MS);
  desk.undo();

  expect(desk.view().current?.id).toBe("b");
});

test("a claim brings no task that was just answered", async () => {
  await open("a", "b");

  desk.answer("cat");
  desk.look();
  await settle();

  expect(preloaded).toEqual(["b"]);
});

test("a skipped task is released for good", async () => {
  await open("a", "b");

  desk.skip();
  await settle();

  expect(reviews.released).toEqual(["a skipped"]);
  expect(desk.view().current?.id).toBe("b");
  expect(desk.view().mine.total).toBe(0);
});

test("an answer that does not arrive comes back, but not under the finger on the key", async () => {
  await open("a", "b");
  reviews.failure = new ApiError(0, "Loupe cannot be reached.");

  desk.answer("cat");
  await vi.advanceTimersByTimeAsync(HOLD_MS);

  expect(preloaded).toEqual(["b", "a"]);
  expect(desk.view().lost).toContain("a.png, “cat”: Loupe cannot be reached. The image comes back");
});

test.each([400, 403, 404, 409])("an answer refused with %i does not come back", async (status) => {
  await open("a", "b");
  reviews.failure = new ApiError(status, "Somebody else has answered.");

  desk.answer("cat");
  await vi.advanceTimersByTimeAsync(HOLD_MS);

  expect(preloaded).toEqual(["b"]);
  expect(desk.view().lost).toBe("a.png, “cat”: Somebody else has answered.");
  desk.forgetLost();
  expect(desk.view().lost).toBe("");
});

test("a reviewer who is away gives the tasks back, and goes on when asked to", async () => {
  await open("a", "b");

  await vi.advanceTimersByTimeAsync(5 * MINUTE + 1);
  desk.look();
  await settle();

  expect(desk.view()).toMatchObject({ away: true, current: undefined });
  expect(reviews.released).toEqual(["a", "b"]);
  desk.open();
  await settle();
  expect(desk.view()).toMatchObject({ away: false, current: { id: "a" } });
});

test("a sign of the reviewer keeps the tasks, and a claim is renewed before it ends", async () => {
  await open("a", "b", "c");

  await vi.advanceTimersByTimeAsync(3 * MINUTE);
  desk.touch();
  await vi.advanceTimersByTimeAsync(3 * MINUTE);
  desk.look();
  await settle();

  expect(desk.view().away).toBe(false);
  expect(reviews.claims).toBe(2);
});

test("closing sends the held answer and gives the rest back", async () => {
  await open("a", "b", "c");

  desk.answer("dog");
  await settle();
  await desk.close();

  expect(reviews.answered).toEqual(["a dog"]);
  expect(reviews.released).toEqual(["b", "c"]);
});

test("tasks that arrive after closing go back at once", async () => {
  start("a");

  await desk.close();
  await settle();

  expect(reviews.released).toEqual(["a"]);
  expect(desk.view().current).toBeUndefined();
});
