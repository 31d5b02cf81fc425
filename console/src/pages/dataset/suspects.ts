/** Decisions about labels that are probably wrong, and the keys that take them. */

import type { LabelCount, Suspect } from "../../api/types";

const KEYS = 9;

/** The labels that a suspect may get instead, one for each digit: what the model says comes first. */
export function choices(suspect: Suspect, labels: LabelCount[]): string[] {
  const others = labels
    .map(({ label }) => label)
    .filter((label) => label !== suspect.label && label !== suspect.instead);
  return [suspect.instead, ...others].slice(0, KEYS);
}

/** The label that a key stands for: Enter and Y are the one that the image has. */
export function labelOf(key: string, suspect: Suspect, labels: LabelCount[]): string | undefined {
  if (key === "Enter" || key.toLowerCase() === "y") return suspect.label;
  return /^[1-9]$/.test(key) ? choices(suspect, labels)[Number(key) - 1] : undefined;
}

/** What a correction tells: which versions learned the wrong label. */
export function trainedOnIt(versions: string[]): string {
  if (!versions.length) return "None of the newest 20 versions was trained on the wrong label.";
  return `Trained on the wrong label: ${versions.join(", ")}.`;
}
