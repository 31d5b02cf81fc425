import Alert from "@cloudscape-design/components/alert";
import ButtonDropdown from "@cloudscape-design/components/button-dropdown";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useEffect, useRef, useState } from "react";
import { api } from "../../api/client";
import type { Detection, DetectionFilter } from "../../api/types";
import { csv } from "./csv";

const PAGE = 100;
/** Until then a browser may still be reading the file. */
const KEEP_MS = 60_000;

/** All results that match, page by page, as a file. */
export function Download({ filter }: { filter: DetectionFilter }) {
  const [count, setCount] = useState<number>();
  const [error, setError] = useState("");
  const leaving = useRef<AbortController>(undefined);
  useEffect(() => () => leaving.current?.abort(), []);

  async function download(kind: string) {
    leaving.current = new AbortController();
    setCount(0);
    setError("");
    try {
      const detections = await all(filter, setCount, leaving.current.signal);
      if (kind === "csv") save("loupe.csv", csv(detections), "text/csv");
      else save("loupe.json", JSON.stringify(detections.map(plain), null, 1), "application/json");
    } catch (failure) {
      setError((failure as Error).message);
    } finally {
      setCount(undefined);
    }
  }

  return (
    <SpaceBetween size="xs">
      <ButtonDropdown
        loading={count !== undefined}
        loadingText="Collecting results"
        items={[
          { id: "csv", text: "As a table (CSV)" },
          { id: "json", text: "As JSON" },
        ]}
        onItemClick={({ detail }) => void download(detail.id)}
      >
        {count === undefined ? "Download" : `Downloading ${count}`}
      </ButtonDropdown>
      {error && <Alert type="error">{`Nothing was downloaded. ${error}`}</Alert>}
    </SpaceBetween>
  );
}

async function all(
  filter: DetectionFilter,
  report: (count: number) => void,
  leaving: AbortSignal,
): Promise<Detection[]> {
  const detections: Detection[] = [];
  let cursor: string | undefined;
  do {
    const page = await api.detections(filter, cursor, PAGE);
    leaving.throwIfAborted();
    detections.push(...page.items);
    report(detections.length);
    cursor = page.next ?? undefined;
  } while (cursor);
  return detections;
}

/** Without the signed address, which ends after an hour. */
function plain({ picture, ...detection }: Detection) {
  return detection;
}

function save(name: string, text: string, type: string) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const anchor = document.createElement("a");
  anchor.href = address;
  anchor.download = name;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(address), KEEP_MS);
}
