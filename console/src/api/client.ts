/** Every route of Loupe's API, called as the person who is signed in. */

import type { paths } from "./schema";
import { endSession, freshToken } from "./session";
import type { DetectionFilter, EventFilter, ExampleFilter, FileToUpload, Message } from "./types";

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

type Operation<P extends keyof paths, M extends keyof paths[P]> = NonNullable<paths[P][M]>;

/** What a route takes: the parameters of its path, its query and its body, if it has them. */
type Sent<O> = (O extends { parameters: { path: infer P } } ? { path: P } : unknown) &
  (O extends { parameters: { query?: infer Q } } ? { query?: Q } : unknown) &
  (O extends { requestBody: { content: { "application/json": infer B } } }
    ? { body: B }
    : unknown);

type Answer<O> = O extends { responses: { 200: { content: { "application/json": infer A } } } }
  ? A
  : never;

interface AnySent {
  path?: Record<string, string>;
  query?: Record<string, string | number | undefined>;
  body?: unknown;
}

async function call<P extends keyof paths, M extends "get" | "post" | "put">(
  method: M,
  path: P,
  sent: Sent<Operation<P, M>>,
): Promise<Answer<Operation<P, M>>> {
  const { path: parts = {}, query = {}, body } = sent as AnySent;
  const token = await freshToken();
  const address = path.slice("/".length).replace(/{(\w+)}/g, (_, name: string) => one(parts[name]));
  let response: Response;
  try {
    response = await fetch(new URL(`${address}${search(query)}`, document.baseURI), {
      method: method.toUpperCase(),
      headers: {
        Authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      // An answer that is sent while the page goes away arrives all the same. Browsers refuse that
      // for much data, such as a hundred long file names.
      keepalive: path.startsWith("/api/reviews/"),
    });
  } catch {
    throw new ApiError(0, "Loupe cannot be reached. Check the connection and try again.");
  }
  const answer: unknown = await response.json().catch(() => ({}));
  if (response.status === 401) endSession("Your session has ended. Sign in again.");
  if (!response.ok) {
    const { message } = answer as Partial<Message>;
    throw new ApiError(response.status, message ?? `Loupe answered ${response.status}.`);
  }
  return answer as Answer<Operation<P, M>>;
}

function search(values: Record<string, string | number | undefined>): string {
  const set = Object.entries(values).filter(([, value]) => value !== undefined && value !== "");
  const text = new URLSearchParams(set.map(([name, value]) => [name, String(value)])).toString();
  return text ? `?${text}` : "";
}

function one(part = ""): string {
  return encodeURIComponent(part);
}

export const api = {
  me: () => call("get", "/api/me", {}),
  overview: () => call("get", "/api/overview", {}),

  // Consumer
  requestPosts: (files: FileToUpload[]) => call("post", "/api/uploads", { body: { files } }),
  detections: (filter: DetectionFilter, cursor?: string, limit = 50) =>
    call("get", "/api/detections", { query: { ...filter, cursor, limit } }),
  detection: (identity: string) =>
    call("get", "/api/detections/{identity}", { path: { identity } }),
  report: (identity: string, label: string) =>
    call("post", "/api/detections/{identity}/report", {
      path: { identity },
      body: label ? { label } : {},
    }),
  readAgain: (ids: string[]) => call("post", "/api/detections/again", { body: { ids } }),

  // Reviewer
  claim: (count: number) => call("post", "/api/reviews/claim", { body: { count } }),
  answer: (identity: string, label: string) =>
    call("post", "/api/reviews/{identity}/answer", { path: { identity }, body: { label } }),
  /** Give a task back; with `skip` I do not get it again. */
  release: (identity: string, skip: boolean) =>
    call("post", "/api/reviews/{identity}/release", { path: { identity }, body: { skip } }),

  aboutLabels: () => call("get", "/api/labels/about", {}),

  // Operator
  reviewers: () => call("get", "/api/reviewers", {}),
  describeLabel: (label: string, description: string) =>
    call("post", "/api/labels/description", { body: { label, description } }),
  showLabel: (label: string, ids: string[]) =>
    call("post", "/api/labels/references", { body: { label, ids } }),
  mergeLabel: (label: string, into: string) =>
    call("post", "/api/labels/merge", { body: { label, into } }),
  noLabelFits: () => call("get", "/api/labels/none", {}),
  makeLabel: (label: string, ids: string[]) =>
    call("post", "/api/labels/make", { body: { label, ids } }),
  labels: () => call("get", "/api/dataset/labels", {}),
  examples: (filter: ExampleFilter, cursor?: string, limit = 50) =>
    call("get", "/api/dataset/examples", { query: { ...filter, cursor, limit } }),
  example: (identity: string) =>
    call("get", "/api/dataset/examples/{identity}", { path: { identity } }),
  requestLabelledPosts: (files: FileToUpload[]) =>
    call("post", "/api/dataset/uploads", { body: { files } }),
  relabel: (ids: string[], label: string) =>
    call("post", "/api/dataset/relabel", { body: { ids, label } }),
  remove: (ids: string[]) => call("post", "/api/dataset/remove", { body: { ids } }),

  models: () => call("get", "/api/models", {}),
  model: (name: string) => call("get", "/api/models/{name}", { path: { name } }),
  against: (name: string, older: string) =>
    call("get", "/api/models/{name}/against/{older}", { path: { name, older } }),
  train: (again = false) => call("post", "/api/models/train", { body: { again } }),
  approve: (version: string) => call("post", "/api/models/approve", { body: { version } }),
  reject: (version: string) => call("post", "/api/models/reject", { body: { version } }),
  rollBack: (version: string) => call("post", "/api/models/rollback", { body: { version } }),
  start: () => call("post", "/api/models/start", {}),
  stop: () => call("post", "/api/models/stop", {}),

  settings: () => call("get", "/api/settings", {}),
  set: (name: string, value: string) =>
    call("put", "/api/settings/{name}", { path: { name }, body: { value } }),

  events: (filter: EventFilter, cursor?: string, limit = 50) =>
    call("get", "/api/events", { query: { ...filter, cursor, limit } }),

  conflicts: (cursor?: string, limit = 50) =>
    call("get", "/api/conflicts", { query: { cursor, limit } }),
  decide: (identity: string, label: string) =>
    call("post", "/api/conflicts/{identity}", { path: { identity }, body: { label } }),
};
