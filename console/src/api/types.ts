/**
 * Names for what Loupe's API takes and answers. The types are made from the code of its routes:
 * `make contract` writes openapi.json from that, and schema.ts from openapi.json.
 *
 * Times are ISO 8601 in UTC. An error comes back as a `Message` in words for the reader.
 */

import type { components, paths } from "./schema";

type Schemas = components["schemas"];
type Listing = "/api/detections" | "/api/events" | "/api/dataset/examples";
/** What a listing may be narrowed to, without what pages it. */
type Filter<P extends Listing> = Omit<
  NonNullable<paths[P]["get"]["parameters"]["query"]>,
  "cursor" | "limit"
>;

/** A page of a listing; `next` is the cursor of the next page, or null at the end. */
export interface Page<T> {
  items: T[];
  next: string | null;
}

export type AboutLabel = Schemas["AboutLabel"];
export type AlikeImages = Schemas["AlikeImages"];
export type Claimed = Schemas["Claimed"];
export type Config = Schemas["Config"];
export type Conflict = Schemas["ConflictView"];
export type Confusion = Schemas["Confusion"];
export type Counter = Schemas["Counter"];
export type Box = Schemas["Box"];
export type Detection = Schemas["DetectionView"];
export type DetectionDetail = Schemas["DetectionDetail"];
export type DetectionFilter = Filter<"/api/detections">;
export type EventFilter = Filter<"/api/events">;
export type ExampleFilter = Filter<"/api/dataset/examples">;
export type Example = Schemas["ExampleView"];
export type FileToUpload = Schemas["File"];
export type Hour = Schemas["Hour"];
export type Label = Schemas["LabelView"];
export type LabelCount = Schemas["LabelImages"];
export type LabelMetrics = Schemas["LabelMetrics"];
export type ManyDone = Schemas["ManyDone"];
export type Me = Schemas["User"];
export type Message = Schemas["Message"];
export type Overview = Schemas["Overview"];
export type Posts = Schemas["Posts"];
export type PresignedPost = Posts["posts"][number];
export type Reviewer = Schemas["ReviewerView"];
export type Role = Schemas["Role"];
export type Setting = Schemas["SettingView"];
export type SideBySide = Schemas["SideBySide"];
export type State = Schemas["DetectionState"];
export type Task = Schemas["Task"];
export type Training = Schemas["Training"];
export type Version = Schemas["VersionView"];
export type VersionStatus = Schemas["VersionStatus"];
