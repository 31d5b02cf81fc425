/** Where the reader is: a page and its filters, in the address's hash, so that links lead there. */

import { useSyncExternalStore } from "react";

export interface Route {
  page: string;
  query: Record<string, string>;
}

function parse(hash: string): Route {
  const [page = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
  return { page, query: Object.fromEntries(new URLSearchParams(query)) };
}

export function link(page: string, query: Record<string, string | undefined> = {}): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => !!entry[1]);
  const text = new URLSearchParams(given).toString();
  return `#/${page}${text ? `?${text}` : ""}`;
}

export function go(page: string, query: Record<string, string | undefined> = {}): void {
  window.location.hash = link(page, query);
}

function subscribe(listener: () => void) {
  window.addEventListener("hashchange", listener);
  return () => window.removeEventListener("hashchange", listener);
}

export function useRoute(): Route {
  return parse(useSyncExternalStore(subscribe, () => window.location.hash));
}
