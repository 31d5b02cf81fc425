import { useState } from "react";
import type { Page } from "../api/types";
import { type Load, type Poll, useLoad } from "./useLoad";

export interface Pages<T> extends Load<Page<T>> {
  items: T[];
  number: number;
  hasNext: boolean;
  /** To a page that was seen already, or to the next one. */
  to: (number: number) => void;
}

/** A list that the server pages; a new `key` (its filters) begins at the first page again. */
export function usePages<T>(
  key: string,
  load: (cursor: string | undefined) => Promise<Page<T>>,
  poll: Poll<Page<T>> = 0,
): Pages<T> {
  const [position, setPosition] = useState({ key, cursors: [] as string[] });
  if (position.key !== key) setPosition({ key, cursors: [] });
  const cursors = position.key === key ? position.cursors : [];
  const cursor = cursors.at(-1);
  // Only the first page changes by itself.
  const loaded = useLoad(`${key}@${cursor ?? ""}`, () => load(cursor), cursor ? 0 : poll);
  const following = loaded.data?.next;
  return {
    ...loaded,
    items: loaded.data?.items ?? [],
    number: cursors.length + 1,
    hasNext: !!following,
    to: (number) => {
      const all = following ? [...cursors, following] : cursors;
      setPosition({ key, cursors: all.slice(0, number - 1) });
    },
  };
}
