/**
 * Loupe's API as the page sees it: every route, what goes in and what comes out.
 *
 * Times are ISO 8601 in UTC. A list is paged on the server: `next` is the cursor of the next page,
 * or null at the end. What is refused comes back as `{"message"}` in words for the reader.
 */

import { endSession, freshToken } from "./session";

export type Role = "operator" | "consumer" | "reviewer";

export interface Page<T> {
  items: T[];
  next: string | null;
}

/** Public: what the page must know before anybody signs in. */
export interface Config {
  stack: string;
  client_id: string;
  /** Address of the Cognito API. */
  cognito: string;
  image_bytes: number;
  image_types: string[];
  /** The answer that is no label. */
  none_of_the_above: string;
  asked_by_a2i: boolean;
  /** Whether AWS bills for what runs; it does not on the embedded stack. */
  billed: boolean;
}

export interface Me {
  name: string;
  roles: Role[];
}

/** Ratios of the image's width and height. */
export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface Label {
  name: string;
  /** 0 to 100 */
  confidence: number;
  by: "model" | "person";
  box?: Box;
}

export const STATES = [
  "waiting",
  "accepted",
  "review",
  "answered",
  "unsure",
  "rejected",
  "failed",
] as const;
export type State = (typeof STATES)[number];
/** States of images that can be read again. */
export const NOT_READ: State[] = ["failed", "rejected"];

export interface Detection {
  id: string;
  image: string;
  state: State;
  /** Surest first; a person's label, which may be none of the above, before the model's. */
  labels: Label[];
  version: string;
  at: string;
  reason: string;
  /** Signed address of the image; it ends after an hour. */
  picture: string;
}

export interface Happening {
  id: string;
  type: string;
  at: string;
  subject: string;
  text: string;
}

export interface DetectionDetail extends Detection {
  /** Bytes. */
  size: number;
  history: Happening[];
}

export interface DetectionFilter {
  state?: State | "";
  label?: string;
  /** Confidence of the first label, 0 to 100. */
  min?: number;
  max?: number;
  /** Instants between which the image arrived. */
  from?: string;
  to?: string;
}

export interface FileToUpload {
  /** May hold folders: "cats/1.png". */
  name: string;
  /** Of an image to train on. */
  label?: string;
  size: number;
  type: string;
}

/** A presigned POST, or why the file is refused. */
export type UploadSlot =
  | { name: string; url: string; fields: Record<string, string>; error?: undefined }
  | { name: string; error: string };

/** At most so many files in one call for slots. */
export const SLOTS_PER_CALL = 100;

export interface Counter {
  today: number;
  total: number;
}

export interface Task {
  id: string;
  image: string;
  picture: string;
  labels: string[];
  /** The model's answer; empty unless reviewers may see it. */
  guess: Label[];
  reason: string;
  /** Until then nobody else gets this task. */
  until: string;
  /** Reviewers asked for. */
  wanted: number;
}

export interface Claimed {
  /** Held by me, the oldest first. */
  tasks: Task[];
  /** Further tasks that I could get, counted up to 1000. */
  waiting: number;
  mine: Counter;
}

export interface LabelCount {
  label: string;
  train: number;
  test: number;
  /** Why there are too few of it, or "". */
  thin: string;
}

export type ExampleStatus = "registered" | "removed" | "rejected";

export interface Example {
  id: string;
  image: string;
  label: string;
  status: ExampleStatus;
  split: "train" | "test" | "";
  /** uploaded, reviewed or cold-start */
  source: string;
  /** Who labelled it; empty for an upload whose owner is unknown. */
  by: string[];
  at: string;
  reason: string;
  picture: string;
}

export interface ExampleDetail extends Example {
  /** Versions that were trained or tested on it. */
  versions: { name: string; split: "train" | "test" }[];
}

export interface ManyDone {
  done: number;
  failed: { id: string; message: string }[];
}

export interface Version {
  name: string;
  status: string;
  at: string;
  labels: string[];
  /** Rekognition's own, on the test images of its time. */
  f1: number | null;
  training_images: number;
  holdout_images: number;
  /** The decision about it. */
  reason: string;
  in_service: boolean;
  /** Quality samples that people answered, and how many agreed. */
  samples: number;
  samples_agreed: number;
  /** When a failed attempt is tried again by itself; "" if it is not. */
  retry_at: string;
}

export interface LabelMetrics {
  label: string;
  f1: number;
  precision: number;
  recall: number;
}

/** What the version said (columns) of the holdout images of a label (rows). */
export interface Confusion {
  labels: string[];
  /** One column more than labels: said none of them. */
  counts: number[][];
}

export interface VersionDetail extends Version {
  per_label: LabelMetrics[];
  confusion: Confusion | null;
  /** Images it was trained and tested on, by label. */
  snapshot: LabelCount[];
  /** The comparison with the version then in service, in names and values for people. */
  comparison: { name: string; value: string }[];
  model_status: string;
}

/** Loupe's F1 of an older and a newer version on the same test images: [older, newer]. */
export interface SideBySide {
  /** 0: they were never asked about the same images. */
  images: number;
  f1: [number, number];
  label_f1: Record<string, [number | null, number | null]>;
}

export interface Setting {
  name: string;
  value: string;
  default: string;
  allowed: string;
  pattern: string;
  meaning: string;
  changed_by: string;
  changed_at: string | null;
}

export interface Conflict {
  id: string;
  image: string;
  picture: string;
  labels: string[];
  answers: { worker: string; label: string; at: string }[];
  /** The objects of one picture that stands under several labels; else none. */
  copies: { image: string; label: string; picture: string }[];
  at: string;
}

export interface Hour {
  /** Its beginning. */
  at: string;
  accepted: number;
  review: number;
  answered: number;
  unsure: number;
  rejected: number;
  failed: number;
  /** Quality samples answered, and how many agreed with the model. */
  samples: number;
  agreed: number;
}

/** What the next training check would decide, and why. */
export interface Training {
  due: boolean;
  reason: string;
}

export interface Overview {
  service: {
    version: string;
    f1: number | null;
    since: string;
    /** As Rekognition says it: RUNNING, STOPPED, STARTING… */
    model_status: string;
    units: number;
    /** Why Loupe has given up starting it, or "". */
    cannot_start: string;
  } | null;
  /** Dollars, by the running hours of all versions. Days and months are those of UTC. */
  cost: { billed: boolean; hourly: number; today: number; month: number; unit_hours_month: number };
  /** Images waiting now. */
  waiting: number;
  open_reviews: number;
  conflicts: number;
  /** What improves the model now. */
  doing: { text: string; since: string | null; waits_for_approval: string };
  next_check: string | null;
  new_labelled_images: number;
  needed_to_train: number;
  training: Training;
  /** Loupe's F1 on the same test images of the versions that were compared last, newest last. */
  compared: { images: number; scores: { name: string; f1: number }[] };
  /** The last 14 days, oldest first; hours in which nothing happened are left out. */
  hours: Hour[];
}

export class Refused extends Error {
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
    throw new Refused(0, "Loupe cannot be reached. Check the connection and try again.");
  }
  const answer = (await response.json().catch(() => ({}))) as { message?: string };
  if (response.status === 401) endSession("Your session has ended. Sign in again.");
  if (!response.ok) {
    throw new Refused(response.status, answer.message ?? `Loupe answered ${response.status}.`);
  }
  return answer as T;
}

function query(values: Record<string, string | number | undefined>): string {
  const given = Object.entries(values).filter(([, value]) => value !== undefined && value !== "");
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return text ? `?${text}` : "";
}

const one = encodeURIComponent;

export const api = {
  me: () => call<Me>("GET", "me"),
  overview: () => call<Overview>("GET", "overview"),

  // Consumer
  uploadSlots: (files: FileToUpload[]) =>
    call<{ slots: UploadSlot[] }>("POST", "uploads", { files }),
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
  exampleSlots: (files: FileToUpload[]) =>
    call<{ slots: UploadSlot[] }>("POST", "dataset/uploads", { files }),
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
