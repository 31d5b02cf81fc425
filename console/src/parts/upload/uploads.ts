/** Uploads that go on while the reader looks at another page, one for each page that has any. */

import { useSyncExternalStore } from "react";
import { loadConfig } from "../../api/session";
import { type AskForSlots, type Found, type Refusal, fault, send } from "./upload";

export interface Progress {
  total: number;
  sent: number;
  refused: Refusal[];
}

const NONE: Progress = { total: 0, sent: 0, refused: [] };

export function isBusy({ total, sent, refused }: Progress): boolean {
  return sent + refused.length < total;
}

class Uploads {
  private progress = NONE;
  private readonly listeners = new Set<() => void>();

  readonly current = () => this.progress;

  readonly subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  async take({ files, unreadable }: Found, slots: AskForSlots, done: () => void) {
    const before = isBusy(this.progress) ? this.progress : NONE;
    this.show({
      ...before,
      total: before.total + files.length + unreadable.length,
      refused: [...before.refused, ...unreadable],
    });
    const config = await loadConfig().catch((error: Error) => error);
    const good = files.filter((named) => {
      const [reason, again] =
        config instanceof Error
          ? [config.message, named]
          : [fault(named, config.image_types, config.image_bytes)];
      if (reason) this.told({ name: named.name, reason, again });
      return !reason;
    });
    await send(good, slots, (refusal) => this.told(refusal), done);
  }

  forgetRefused() {
    const { total, sent, refused } = this.progress;
    this.show({ total: total - refused.length, sent, refused: [] });
  }

  private told(refusal?: Refusal) {
    const { total, sent, refused } = this.progress;
    this.show(
      refusal
        ? { total, sent, refused: [...refused, refusal] }
        : { total, sent: sent + 1, refused },
    );
  }

  private show(progress: Progress) {
    this.progress = progress;
    for (const listener of this.listeners) listener();
  }
}

const all = new Map<string, Uploads>();

window.addEventListener("beforeunload", (event) => {
  if ([...all.values()].some((uploads) => isBusy(uploads.current()))) event.preventDefault();
});

export function useUploads(page: string): [Progress, Uploads] {
  const uploads = all.get(page) ?? new Uploads();
  all.set(page, uploads);
  return [useSyncExternalStore(uploads.subscribe, uploads.current), uploads];
}
