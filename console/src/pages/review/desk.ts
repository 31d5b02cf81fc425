/**
 * A reviewer's desk: tasks in hand, and answers on their way.
 *
 * The next image is there before the last one is answered: three tasks are held, their images
 * loaded. The newest answer is kept back for some seconds, so that it can be undone; it is sent
 * with the next answer, when its time is up, or when the page goes away.
 */

import { ApiError, type api } from "../../api/client";
import type { Counter, Task } from "../../api/types";

const IN_HAND = 3;
/** The API gives no more at a time. */
const MOST_AT_ONCE = 5;
const HOLD_MS = 4000;
/** Well before a claim ends, which takes ten minutes. */
const RENEW_MS = 5 * 60_000;
const AWAY_MS = 5 * 60_000;
/** To send an answer again that was refused so is no use. */
const FINAL = [400, 403, 404, 409];

export interface Answered {
  task: Task;
  label: string;
  /** It is still here, and can be undone. */
  held: boolean;
}

export interface View {
  current: Task | undefined;
  toDo: number;
  mine: Counter;
  last: Answered | undefined;
  /** Nothing is in hand, and it is not known yet whether there is anything. */
  looking: boolean;
  /** Nobody was here for a while, so the tasks were given back. */
  away: boolean;
  /** Why there are no new tasks. */
  error: Error | undefined;
  /** The answer that did not arrive. */
  lost: string;
}

type Reviews = Pick<typeof api, "claim" | "answer" | "release">;

/** What an earlier desk is still giving back. */
let leaving: Promise<unknown> = Promise.resolve();

export class Desk {
  private hand: Task[] = [];
  private held: { task: Task; label: string; timer: ReturnType<typeof setTimeout> } | undefined;
  /** Answered or skipped; true once the API knows. A claim under way may still bring them. */
  private readonly gone = new Map<string, boolean>();
  private readonly listeners = new Set<() => void>();
  private counted: Counter = { today: 0, total: 0 };
  private sending = 0;
  private waiting = 0;
  private claiming = false;
  private claimAgain = false;
  private claimed = 0;
  private seen = Date.now();
  private isOpen = false;
  private shown: View = {
    current: undefined,
    toDo: 0,
    mine: this.counted,
    last: undefined,
    looking: true,
    away: false,
    error: undefined,
    lost: "",
  };

  /** `preload` gets the tasks in hand whenever they may have changed. */
  constructor(
    private readonly reviews: Reviews,
    private readonly preload: (tasks: Task[]) => void,
  ) {}

  readonly view = () => this.shown;

  readonly subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly open = () => {
    this.isOpen = true;
    this.seen = Date.now();
    this.show({ away: false, looking: !this.hand.length });
    void this.claim();
  };

  /** Send what is held, and give the rest back. */
  readonly close = () => {
    this.isOpen = false;
    leaving = Promise.allSettled([leaving, this.flush(), this.giveBack()]);
    return leaving;
  };

  /** Every few seconds: whether there is more to do, and whether anybody is here. */
  readonly look = () => {
    if (this.shown.away) return;
    if (this.hand.length && this.isAway()) this.leave();
    else if (this.hand.length < IN_HAND || Date.now() - this.claimed > RENEW_MS) void this.claim();
  };

  /** Somebody is here; after too long, what was in hand has gone to others. */
  readonly touch = () => {
    if (this.hand.length && this.isAway()) this.leave();
    this.seen = Date.now();
  };

  readonly answer = (label: string) => {
    const [task] = this.hand;
    if (!task || !label) return;
    void this.flush();
    this.held = { task, label, timer: setTimeout(() => void this.flush(), HOLD_MS) };
    this.putAway(task);
    this.show({ last: { task, label, held: true } });
    if (this.hand.length < IN_HAND) void this.claim();
  };

  readonly skip = () => {
    const [task] = this.hand;
    if (!task) return;
    this.putAway(task);
    this.show();
    void this.reviews
      .release(task.id, true)
      .catch((error: unknown) => this.show({ error: error as Error }))
      .finally(() => {
        this.gone.set(task.id, true);
        void this.claim();
      });
  };

  readonly undo = () => {
    if (!this.held) return;
    const { task, timer } = this.held;
    clearTimeout(timer);
    this.held = undefined;
    this.gone.delete(task.id);
    this.hand.unshift(task);
    this.show({ last: undefined, away: false });
  };

  readonly forgetLost = () => this.show({ lost: "" });

  private isAway() {
    return Date.now() - this.seen > AWAY_MS;
  }

  private leave() {
    void this.giveBack();
    this.show({ away: true });
  }

  private async giveBack() {
    const tasks = this.hand;
    this.hand = [];
    await Promise.allSettled(tasks.map(({ id }) => this.reviews.release(id, false)));
  }

  private async claim() {
    this.claimAgain = this.claiming;
    if (this.claiming) return;
    this.claiming = true;
    for (const [id, isStored] of this.gone) if (isStored) this.gone.delete(id);
    const isQuiet = !this.sending;
    try {
      await leaving;
      // What is answered but not sent yet still counts as mine over there.
      const count = Math.min(MOST_AT_ONCE, IN_HAND + this.gone.size);
      const { tasks, waiting, mine } = await this.reviews.claim(count);
      this.claimed = Date.now();
      this.waiting = Math.max(0, waiting);
      if (isQuiet && !this.sending) this.counted = mine;
      this.take(tasks);
    } catch (error) {
      this.show({ looking: false, error: error as Error });
    } finally {
      this.claiming = false;
      if (this.claimAgain) void this.claim();
    }
  }

  private take(tasks: Task[]) {
    const mine = new Set([...this.gone.keys(), ...this.hand.map(({ id }) => id)]);
    const fresh = tasks.filter(({ id }) => !mine.has(id));
    if (!this.isOpen || this.shown.away) {
      for (const { id } of fresh) void this.reviews.release(id, false).catch(() => undefined);
      return;
    }
    // To wait for images is not to be away.
    if (!this.hand.length) this.seen = Date.now();
    this.hand.push(...fresh);
    this.show({ looking: this.claimAgain && !this.hand.length, error: undefined });
  }

  private async flush() {
    if (!this.held) return;
    const { task, label, timer } = this.held;
    clearTimeout(timer);
    this.held = undefined;
    this.sending++;
    this.show({ last: { task, label, held: false } });
    try {
      const { mine } = await this.reviews.answer(task.id, label);
      if (mine.total > this.counted.total) this.counted = mine;
      this.gone.set(task.id, true);
      this.sending--;
      this.show();
    } catch (error) {
      this.sending--;
      this.reopen(task, label, error as Error);
    }
  }

  /** An answer did not arrive: its task comes next, never under the finger on the key. */
  private reopen(task: Task, label: string, error: Error) {
    this.gone.delete(task.id);
    const isFinal = error instanceof ApiError && FINAL.includes(error.status);
    if (this.isOpen && !isFinal) this.hand.splice(1, 0, task);
    const comesBack = isFinal ? "" : " The image comes back, so that you can answer it again.";
    this.show({ lost: `${task.image}, “${label}”: ${error.message}${comesBack}` });
  }

  private putAway(task: Task) {
    this.gone.set(task.id, false);
    this.hand.shift();
    if (!this.hand.length) this.shown = { ...this.shown, looking: true };
  }

  private show(change: Partial<View> = {}) {
    const onTheWay = this.sending + (this.held ? 1 : 0);
    const { today, total } = this.counted;
    this.shown = {
      ...this.shown,
      current: this.hand[0],
      toDo: this.hand.length + this.waiting,
      mine: { today: today + onTheWay, total: total + onTheWay },
      ...change,
    };
    this.preload(this.hand);
    for (const listener of this.listeners) listener();
  }
}
