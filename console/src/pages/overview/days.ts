/** Hours summed to the reader's own days; the server knows no time zone but UTC. */

import type { Hour } from "../../api/types";

export type Counts = Omit<Hour, "at">;

export const NOTHING: Counts = {
  accepted: 0,
  review: 0,
  answered: 0,
  unsure: 0,
  rejected: 0,
  failed: 0,
  samples: 0,
  agreed: 0,
};

/** What tells days apart, and sorts: the instant of midnight. */
export function dayOf(time: Date): number {
  return new Date(time.getFullYear(), time.getMonth(), time.getDate()).getTime();
}

export function byDay(hours: Hour[]): Map<number, Counts> {
  const days = new Map<number, Counts>();
  for (const hour of hours) {
    const day = dayOf(new Date(hour.at));
    days.set(day, sum(days.get(day) ?? NOTHING, hour));
  }
  return days;
}

function sum(a: Counts, b: Counts): Counts {
  const names = Object.keys(NOTHING) as (keyof Counts)[];
  return Object.fromEntries(names.map((name) => [name, a[name] + b[name]])) as unknown as Counts;
}

/** The share of a day's images that the model left to people, or null if it read none. */
export function shareForPeople({ accepted, review, unsure }: Counts): number | null {
  return share(review + unsure, accepted + review + unsure);
}

/** The share of a day's quality samples in which people and model agreed, or null. */
export function shareAgreed({ agreed, samples }: Counts): number | null {
  return share(agreed, samples);
}

function share(part: number, whole: number): number | null {
  return whole ? part / whole : null;
}
