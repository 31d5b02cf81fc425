/**
 * Loupe's API as the page sees it: what goes in and what comes out.
 *
 * Times are ISO 8601 in UTC. A list is paged on the server: `next` is the cursor of the next page,
 * or null at the end. An error comes back as `{"message"}` in words for the reader.
 */

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
export type PresignedPost =
  | { name: string; url: string; fields: Record<string, string>; error?: undefined }
  | { name: string; error: string };

/** At most so many files in one request for presigned posts. */
export const POSTS_PER_REQUEST = 100;

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
