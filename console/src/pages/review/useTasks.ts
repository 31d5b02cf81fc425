/**
 * Tasks in hand, and answers on their way.
 *
 * The next image is there before the last one is answered: three tasks are held, their images
 * loaded. The newest answer is kept back for some seconds, so that it can be undone; it is sent
 * with the next answer, when its time is up, or when the page goes away.
 */

import { useCallback, useEffect, useRef, useState } from "react";
import { type Claimed, type Task, api } from "../../api";

const IN_HAND = 3;
const HOLD_MS = 4000;
const LOOK_MS = 4000;

export interface Last {
  task: Task;
  label: string;
  held: boolean;
}

export function useTasks() {
  const [tasks, setTasks] = useState<Task[]>([]);
  const [claimed, setClaimed] = useState<Omit<Claimed, "tasks">>({
    waiting: 0,
    mine: { today: 0, total: 0 },
  });
  const [last, setLast] = useState<Last>();
  const [error, setError] = useState("");
  const [loading, setLoading] = useState(true);
  const hand = useRef<Task[]>([]);
  const held = useRef<{ task: Task; label: string; timer: number }>(undefined);
  /** Tasks that are answered or given back; a claim under way may still bring them. */
  const gone = useRef(new Set<string>());

  const show = useCallback((next: Task[]) => {
    hand.current = next;
    setTasks(next);
    for (const { picture } of next) new Image().src = picture;
  }, []);

  const claim = useCallback(async () => {
    try {
      const { tasks: found, ...rest } = await api.claim(IN_HAND);
      const known = new Map(hand.current.map((task) => [task.id, task]));
      const now = new Date().toISOString();
      const fresh = found.filter(({ id }) => !gone.current.has(id));
      // A task keeps its place and its signed address; only its time is renewed.
      const kept = hand.current
        .map((task) => fresh.find(({ id }) => id === task.id) ?? task)
        .filter(({ until }) => until > now)
        .map((task) => ({ ...task, picture: known.get(task.id)?.picture ?? task.picture }));
      show([...kept, ...fresh.filter(({ id }) => !known.has(id))]);
      setClaimed({ ...rest, mine: withHeld(rest.mine, !!held.current) });
    } catch (failure) {
      setError((failure as Error).message);
    } finally {
      setLoading(false);
    }
  }, [show]);

  const flush = useCallback(async () => {
    const { current } = held;
    if (!current) return;
    held.current = undefined;
    clearTimeout(current.timer);
    setLast((before) => before && { ...before, held: false });
    try {
      await api.answer(current.task.id, current.label);
    } catch (failure) {
      gone.current.delete(current.task.id);
      setError(`${current.task.image}: ${(failure as Error).message}`);
    }
  }, []);

  const drop = useCallback(
    (task: Task) => {
      gone.current.add(task.id);
      show(hand.current.filter(({ id }) => id !== task.id));
    },
    [show],
  );

  const answer = useCallback(
    (label: string) => {
      const [task] = hand.current;
      if (!task || !label) return;
      const before = flush();
      const timer = window.setTimeout(() => void flush().then(claim), HOLD_MS);
      held.current = { task, label, timer };
      drop(task);
      setLast({ task, label, held: true });
      setClaimed(({ waiting, mine }) => ({ waiting, mine: withHeld(mine, true) }));
      void before.then(() => (hand.current.length < IN_HAND ? claim() : undefined));
    },
    [claim, drop, flush],
  );

  const skip = useCallback(() => {
    const [task] = hand.current;
    if (!task) return;
    drop(task);
    api
      .release(task.id, true)
      .catch((failure: Error) => setError(failure.message))
      .finally(() => void claim());
  }, [claim, drop]);

  const undo = useCallback(() => {
    const { current } = held;
    if (!current) return;
    clearTimeout(current.timer);
    held.current = undefined;
    gone.current.delete(current.task.id);
    show([current.task, ...hand.current]);
    setLast(undefined);
    setClaimed(({ waiting, mine }) => ({
      waiting,
      mine: { today: mine.today - 1, total: mine.total - 1 },
    }));
  }, [show]);

  useEffect(() => {
    void claim();
    const timer = setInterval(
      () => !document.hidden && hand.current.length < IN_HAND && void claim(),
      LOOK_MS,
    );
    const leave = () => {
      void flush();
      for (const { id } of hand.current) void api.release(id, false).catch(() => undefined);
      hand.current = [];
    };
    window.addEventListener("pagehide", leave);
    return () => {
      clearInterval(timer);
      window.removeEventListener("pagehide", leave);
      leave();
    };
  }, [claim, flush]);

  return {
    ...claimed,
    current: tasks[0],
    last,
    loading,
    error,
    clearError: () => setError(""),
    answer,
    skip,
    undo,
  };
}

/** The answer that is kept back counts as mine already. */
function withHeld({ today, total }: Claimed["mine"], isHeld: boolean): Claimed["mine"] {
  return isHeld ? { today: today + 1, total: total + 1 } : { today, total };
}
