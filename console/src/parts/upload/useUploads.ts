import { useSyncExternalStore } from "react";
import { loadConfig } from "../../api/session";
import { type Progress, Uploads, isBusy } from "./uploads";

const byPage = new Map<string, Uploads>();

window.addEventListener("beforeunload", (event) => {
  if ([...byPage.values()].some((uploads) => isBusy(uploads.current()))) event.preventDefault();
});

/** Uploads go on while the reader looks at another page; each page has its own. */
export function useUploads(page: string): [Progress, Uploads] {
  const uploads = byPage.get(page) ?? new Uploads(loadConfig);
  byPage.set(page, uploads);
  return [useSyncExternalStore(uploads.subscribe, uploads.current), uploads];
}
