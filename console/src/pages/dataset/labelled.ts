/** Which label each file of a drop gets, as `loupe upload labelled` decides it. */

import type { Found, Named, Refusal } from "../../parts/upload/upload";

export interface Plan {
  /** Each with its label. */
  files: Named[];
  leftOut: Refusal[];
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
  { files, unreadable }: Found,
  written: string,
  fault: (named: Named) => string,
): Plan {
  const plan: Plan = { files: [], leftOut: [...unreadable], byFolder: false };
  const images: Named[] = [];
  for (const named of files) {
    const reason = fault(named);
    if (reason) plan.leftOut.push({ name: named.name, reason });
    else images.push(named);
  }
  const roots = new Set(images.filter(isInFolder).map(({ name }) => name.split("/")[0]));
  const isNested = images.some(({ name }) => name.split("/").length > 2);
  for (const named of images) {
    const path = named.name.split("/");
    if (!isInFolder(named)) path.unshift(...(written ? [written] : []));
    else if (roots.size === 1) path.splice(0, 1, ...(isNested ? [] : [written || path[0] || ""]));
    const [label = "", ...rest] = path;
    if (rest.length) plan.files.push({ ...named, label, name: rest.join("/") });
    else plan.leftOut.push({ name: named.name, reason: NO_LABEL });
  }
  plan.byFolder = plan.files.some(({ label }) => label !== written);
  return plan;
}

/** How many files each label gets. */
export function countLabels(files: Named[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const { label = "" } of files) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => a.localeCompare(b));
}

function isInFolder({ name }: Named): boolean {
  return name.includes("/");
}
