import { useCallback, useEffect, useRef, useState } from "react";

export interface Load<T> {
  data: T | undefined;
  error: Error | undefined;
  loading: boolean;
  refresh: () => void;
}

interface State<T> {
  /** Of what it was loaded for; with another key it counts as loading. */
  key: string;
  data?: T;
  error?: Error;
  loading: boolean;
}

/** Milliseconds between an answer and the next look, which may depend on the answer; 0: none. */
export type Poll<T> = number | ((data: T | undefined) => number);

/**
 * What `load` answers, loaded anew whenever `key` changes, and again and again while the tab is
 * seen. Only the answer to the newest question counts.
 */
export function useLoad<T>(key: string, load: () => Promise<T>, poll: Poll<T> = 0): Load<T> {
  const [state, setState] = useState<State<T>>({ key, loading: true });
  const newest = useRef(0);
  const latest = useRef({ key, load, poll });

  // The first effect, so that those below see the values of this rendering.
  useEffect(() => {
    latest.current = { key, load, poll };
  });

  const start = useCallback(() => {
    const { key, load } = latest.current;
    const mine = ++newest.current;
    load().then(
      (data) => mine === newest.current && setState({ key, data, loading: false }),
      (error: unknown) =>
        mine === newest.current &&
        setState((before) => ({
          ...(before.key === key ? before : { key }),
          error: error as Error,
          loading: false,
        })),
    );
  }, []);

  const refresh = useCallback(() => {
    setState((before) => ({ ...before, loading: true }));
    start();
  }, [start]);

  useEffect(() => {
    start();
    return () => {
      newest.current += 1;
    };
  }, [start, key]);

  const { data, error, loading }: State<T> = state.key === key ? state : { key, loading: true };
  useEffect(() => {
    const { poll } = latest.current;
    const wait = typeof poll === "function" ? poll(data) : poll;
    if (loading || !wait) return;
    const look = () => !document.hidden && refresh();
    const timer = setTimeout(look, wait);
    document.addEventListener("visibilitychange", look);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, [refresh, loading, data]);

  return { data, error, loading, refresh };
}
