import { useCallback, useEffect, useRef, useState } from "react";

export interface Load<T> {
  data: T | undefined;
  error: Error | undefined;
  loading: boolean;
  refresh: () => void;
}

/** Milliseconds between an answer and the next look, which may depend on the answer; 0: none. */
export type Poll<T> = number | ((data: T | undefined) => number);

/**
 * What `load` answers, loaded anew whenever `key` changes, and again and again while the tab is
 * seen. Only the answer to the newest question counts.
 */
export function useLoad<T>(key: string, load: () => Promise<T>, poll: Poll<T> = 0): Load<T> {
  const [state, setState] = useState<{ key: string; data?: T; error?: Error }>({ key });
  const [loading, setLoading] = useState(true);
  const newest = useRef(0);
  const latest = useRef({ key, load, poll });

  // The first effect, so that those below find what this rendering was given.
  useEffect(() => {
    latest.current = { key, load, poll };
  });

  const refresh = useCallback(() => {
    const { key, load } = latest.current;
    const mine = ++newest.current;
    setLoading(true);
    load()
      .then(
        (data) => mine === newest.current && setState({ key, data }),
        (error: Error) =>
          mine === newest.current &&
          setState((before) => ({ ...(before.key === key ? before : { key }), error })),
      )
      .finally(() => mine === newest.current && setLoading(false));
  }, []);

  useEffect(() => {
    refresh();
    return () => {
      newest.current++;
    };
  }, [refresh, key]);

  const current = state.key === key ? state : { key };
  const { data } = current;
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

  return { data, error: current.error, loading, refresh };
}
