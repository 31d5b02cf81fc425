/** Where the reader is: a page and its filters, in the address's hash, so that links lead there. */

import { useSyncExternalStore } from "react";

type Query = Record<string, string | undefined>;

export interface Route {
  page: string;
  query: Record<string, string>;
}

export function parse(hash: string): Route {
  const [, page = "", query = ""] = /^#?\/?([^?]*)\??(.*)$/s.exec(hash) ?? [];
  return { page, query: Object.fromEntries(new URLSearchParams(query)) };
}

export function link(page: string, query: Query = {}): string {
  const set = Object.entries(query).filter((entry): entry is [string, string] => !!entry[1]);
  const text = new URLSearchParams(set).toString();
  return `#/${page}${text ? `?${text}` : ""}`;
}

export function go(page: string, query: Query = {}): void {
  window.location.hash = link(page, query);
}

/** The same page, otherwise filtered: "back" leads to the page before, not through every change. */
export function refine(page: string, query: Query): void {
  window.location.replace(link(page, query));
}

function subscribe(listener: () => void) {
  window.addEventListener("hashchange", listener);
  return () => window.removeEventListener("hashchange", listener);
}

export function useRoute(): Route {
  return parse(useSyncExternalStore(subscribe, () => window.location.hash));
}
