/** The uploads of one page: how far they are, and which files failed. */

import type { Config } from "../../api/types";
import { type Failure, type ImageFile, type Selection, fault } from "./files";
import { type RequestPosts, send } from "./send";

export interface Progress {
  total: number;
  sent: number;
  failures: Failure[];
}

const NONE: Progress = { total: 0, sent: 0, failures: [] };

export function isBusy({ total, sent, failures }: Progress): boolean {
  return sent + failures.length < total;
}

export class Uploads {
  private progress = NONE;
  private readonly listeners = new Set<() => void>();

  constructor(private readonly loadConfig: () => Promise<Config>) {}

  readonly current = () => this.progress;

  readonly subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Send what was selected; it counts together with what is still on its way. */
  async add({ files, unreadable }: Selection, requestPosts: RequestPosts, batchDone: () => void) {
    const before = isBusy(this.progress) ? this.progress : NONE;
    this.show({
      ...before,
      total: before.total + files.length + unreadable.length,
      failures: [...before.failures, ...unreadable],
    });
    const faultless = await this.check(files);
    await send(faultless, requestPosts, (failure) => this.count(failure), batchDone);
  }

  forgetFailures() {
    const { total, sent, failures } = this.progress;
    this.show({ total: total - failures.length, sent, failures: [] });
  }

  /** Those that can be sent; the others are counted as failures. */
  private async check(files: ImageFile[]): Promise<ImageFile[]> {
    try {
      const { image_types, image_bytes } = await this.loadConfig();
      return files.filter((image) => {
        const reason = fault(image, image_types, image_bytes);
        if (reason) this.count({ name: image.name, reason });
        return !reason;
      });
    } catch (error) {
      const { message: reason } = error as Error;
      for (const image of files) this.count({ name: image.name, reason, retry: image });
      return [];
    }
  }

  private count(failure?: Failure) {
    const { total, sent, failures } = this.progress;
    this.show(
      failure
        ? { total, sent, failures: [...failures, failure] }
        : { total, sent: sent + 1, failures },
    );
  }

  private show(progress: Progress) {
    this.progress = progress;
    for (const listener of this.listeners) listener();
  }
}
