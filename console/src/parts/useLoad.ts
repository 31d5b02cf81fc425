import { useCallback, useEffect, useRef, useState } from "react";

export interface Load<T> {
  data: T | undefined;
  error: Error | undefined;
  loading: boolean;
  refresh: () => void;
}

/**
 * What `load` answers, loaded anew whenever `key` changes, and every `pollMs` while the tab is seen.
 * Only the answer to the newest question counts.
 */
export function useLoad<T>(key: string, load: () => Promise<T>, pollMs = 0): Load<T> {
  const [state, setState] = useState<{ key: string; data?: T; error?: Error }>({ key });
  const [loading, setLoading] = useState(true);
  const newest = useRef(0);
  const latest = useRef(load);
  latest.current = load;

  const refresh = useCallback(() => {
    const mine = ++newest.current;
    setLoading(true);
    latest
      .current()
      .then(
        (data) => mine === newest.current && setState({ key, data }),
        (error: Error) =>
          mine === newest.current && setState((before) => ({ ...before, key, error })),
      )
      .finally(() => mine === newest.current && setLoading(false));
  }, [key]);

  useEffect(() => {
    refresh();
    return () => {
      newest.current++;
    };
  }, [refresh]);

  useEffect(() => {
    if (!pollMs) return;
    const timer = setInterval(() => !document.hidden && refresh(), pollMs);
    return () => clearInterval(timer);
  }, [refresh, pollMs]);

  const current = state.key === key ? state : { key };
  return { data: current.data, error: current.error, loading, refresh };
}
