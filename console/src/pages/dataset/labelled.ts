/** Which label each file of a drop gets, as `loupe upload labelled` decides it. */

import type { Failure, ImageFile, Selection } from "../../parts/upload/files";

export interface Plan {
  /** Each with its label. */
  files: ImageFile[];
  leftOut: Failure[];
  /** Folders name the labels: shown before anything is sent. */
  byFolder: boolean;
}

const NO_LABEL = "It has no label: write one above, or put it into a label's folder.";

/**
 * A folder with sub-folders makes one label of each sub-folder; so do several folders at once. Any
 * other file has the label that was written, or else that of its folder. `fault` says why a file
 * cannot be sent, or "".
 */
export function planLabels(
  { files, unreadable }: Selection,
  written: string,
  fault: (image: ImageFile) => string,
): Plan {
  const plan: Plan = { files: [], leftOut: [...unreadable], byFolder: false };
  const images: ImageFile[] = [];
  for (const image of files) {
    const reason = fault(image);
    if (reason) plan.leftOut.push({ name: image.name, reason });
    else images.push(image);
  }
  const roots = new Set(images.filter(isInFolder).map(({ name }) => name.split("/")[0]));
  const isNested = images.some(({ name }) => name.split("/").length > 2);
  for (const image of images) {
    const path = image.name.split("/");
    if (!isInFolder(image)) path.unshift(...(written ? [written] : []));
    else if (roots.size === 1) path.splice(0, 1, ...(isNested ? [] : [written || (path[0] ?? "")]));
    const [label = "", ...rest] = path;
    if (rest.length) plan.files.push({ ...image, label, name: rest.join("/") });
    else plan.leftOut.push({ name: image.name, reason: NO_LABEL });
  }
  plan.byFolder = plan.files.some(({ label }) => label !== written);
  return plan;
}

/** How many files each label gets. */
export function countLabels(files: ImageFile[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const { label = "" } of files) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => a.localeCompare(b));
}

function isInFolder({ name }: ImageFile): boolean {
  return name.includes("/");
}
