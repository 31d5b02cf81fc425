import type { Label } from "../api/types";

/** Labels whose boxes are drawn: after a person's answer only those that it names. */
export function boxed(labels: Label[]): Label[] {
  const [first] = labels;
  return first?.by === "person" ? labels.filter(({ name }) => name === first.name) : labels;
}

/** "cat 93 %, dog 4 %", the first few. */
export function Labels({ labels, most = 3 }: { labels: Label[]; most?: number }) {
  if (!labels.length) return <>–</>;
  return (
    <>
      {labels
        .slice(0, most)
        .map(({ name, confidence, by }) =>
          by === "person" ? `${name} (a person)` : `${name} ${confidence.toFixed(0)} %`,
        )
        .join(", ")}
    </>
  );
}
