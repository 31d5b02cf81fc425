/** Every route of Loupe's API, called as the person who is signed in. */

import { endSession, freshToken } from "./session";
import type {
  Claimed,
  Conflict,
  Counter,
  Detection,
  DetectionDetail,
  DetectionFilter,
  Example,
  ExampleDetail,
  FileToUpload,
  Happening,
  LabelCount,
  ManyDone,
  Me,
  Overview,
  Page,
  Setting,
  SideBySide,
  Training,
  PresignedPost,
  Version,
  VersionDetail,
} from "./types";

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const token = await freshToken();
  let response: Response;
  try {
    response = await fetch(new URL(`api/${path}`, document.baseURI), {
      method,
      headers: {
        Authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      // An answer that is sent while the page goes away arrives all the same. Browsers refuse that
      // for much data, such as a hundred long file names.
      keepalive: path.startsWith("reviews/"),
    });
  } catch {
    throw new ApiError(0, "Loupe cannot be reached. Check the connection and try again.");
  }
  const answer = (await response.json().catch(() => ({}))) as { message?: string };
  if (response.status === 401) endSession("Your session has ended. Sign in again.");
  if (!response.ok) {
    throw new ApiError(response.status, answer.message ?? `Loupe answered ${response.status}.`);
  }
  return answer as T;
}

function query(values: Record<string, string | number | undefined>): string {
  const set = Object.entries(values).filter(([, value]) => value !== undefined && value !== "");
  const text = new URLSearchParams(set.map(([name, value]) => [name, String(value)])).toString();
  return text ? `?${text}` : "";
}

const one = encodeURIComponent;

export const api = {
  me: () => call<Me>("GET", "me"),
  overview: () => call<Overview>("GET", "overview"),

  // Consumer
  requestPosts: (files: FileToUpload[]) =>
    call<{ slots: PresignedPost[] }>("POST", "uploads", { files }),
  detections: (filter: DetectionFilter, cursor?: string, limit = 50) =>
    call<Page<Detection>>("GET", `detections${query({ ...filter, cursor, limit })}`),
  detection: (id: string) => call<DetectionDetail>("GET", `detections/${one(id)}`),
  readAgain: (ids: string[]) => call<ManyDone>("POST", "detections/again", { ids }),

  // Reviewer
  claim: (count: number) => call<Claimed>("POST", "reviews/claim", { count }),
  answer: (id: string, label: string) =>
    call<{ mine: Counter }>("POST", `reviews/${one(id)}/answer`, { label }),
  /** Give a task back; with `skip` I do not get it again. */
  release: (id: string, skip: boolean) =>
    call<Record<string, never>>("POST", `reviews/${one(id)}/release`, { skip }),

  // Operator
  labels: () => call<{ labels: LabelCount[]; training: Training }>("GET", "dataset/labels"),
  examples: (
    filter: { label?: string; split?: string; status?: string },
    cursor?: string,
    limit = 50,
  ) => call<Page<Example>>("GET", `dataset/examples${query({ ...filter, cursor, limit })}`),
  example: (id: string) => call<ExampleDetail>("GET", `dataset/examples/${one(id)}`),
  requestLabelledPosts: (files: FileToUpload[]) =>
    call<{ slots: PresignedPost[] }>("POST", "dataset/uploads", { files }),
  relabel: (ids: string[], label: string) =>
    call<ManyDone>("POST", "dataset/relabel", { ids, label }),
  remove: (ids: string[]) => call<ManyDone>("POST", "dataset/remove", { ids }),

  models: () => call<{ items: Version[] }>("GET", "models"),
  model: (name: string) => call<VersionDetail>("GET", `models/${one(name)}`),
  against: (name: string, older: string) =>
    call<SideBySide>("GET", `models/${one(name)}/against/${one(older)}`),
  train: (again = false) => call<{ message: string }>("POST", "models/train", { again }),
  approve: (version: string) => call<{ message: string }>("POST", "models/approve", { version }),
  reject: (version: string) => call<{ message: string }>("POST", "models/reject", { version }),
  rollBack: (version: string) => call<{ message: string }>("POST", "models/rollback", { version }),
  start: () => call<{ message: string }>("POST", "models/start", {}),
  stop: () => call<{ message: string }>("POST", "models/stop", {}),

  settings: () => call<{ items: Setting[] }>("GET", "settings"),
  set: (name: string, value: string) =>
    call<Setting>("PUT", `settings/${one(name)}`, { value }),

  events: (type: string, cursor?: string, limit = 50) =>
    call<Page<Happening> & { types: string[] }>("GET", `events${query({ type, cursor, limit })}`),

  conflicts: (cursor?: string, limit = 50) =>
    call<Page<Conflict>>("GET", `conflicts${query({ cursor, limit })}`),
  decide: (id: string, label: string) =>
    call<{ message: string }>("POST", `conflicts/${one(id)}`, { label }),
};
