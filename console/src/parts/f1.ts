/** How scores are written, and what they mean to somebody who never met them. */

export const FEW_IMAGES = 30;

export function f1Text(f1: number | null): string {
  return f1 === null ? "–" : f1.toFixed(3);
}

export function differenceText(difference: number): string {
  const text = difference.toFixed(3);
  return difference > 0 ? `+${text}` : text;
}

export function percentText(share: number): string {
  return `${Math.round(100 * share)} %`;
}

/** Two measures that are not compared with each other. */
export const REKOGNITIONS_F1 = "Rekognition's F1";
export const LOUPES_F1 = "Loupe's F1";

export const F1_MEANING =
  "A score from 0 (always wrong) to 1 (always right), measured by Rekognition on the test images " +
  "of the version's time, which the model was never trained on. It falls both when the model " +
  "misses images of a label and when it gives the label to others. Versions are compared by " +
  "Loupe's F1, on the same images.";
