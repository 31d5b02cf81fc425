import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ProgressBar from "@cloudscape-design/components/progress-bar";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { type DragEvent, useEffect, useRef, useState } from "react";
import type { FileToUpload, UploadSlot } from "../api";
import { loadConfig } from "../session";
import { type Named, type Refusal, chosen, fault, filesOf, send } from "./upload";
import "./upload.css";

interface Props {
  what: string;
  slots: (files: FileToUpload[]) => Promise<{ slots: UploadSlot[] }>;
  done: () => void;
  disabled?: string;
}

interface Progress {
  total: number;
  sent: number;
  refused: Refusal[];
}

const NONE: Progress = { total: 0, sent: 0, refused: [] };

/** Where images are dropped, or chosen: files or whole folders, many at once. */
export function Upload({ what, slots, done, disabled = "" }: Props) {
  const [progress, setProgress] = useState(NONE);
  const [over, setOver] = useState(false);
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const { total, sent, refused } = progress;
  const busy = sent + refused.length < total;

  useEffect(() => {
    folder.current?.setAttribute("webkitdirectory", "");
  }, []);
  useEffect(() => {
    if (!busy) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", warn);
    return () => window.removeEventListener("beforeunload", warn);
  }, [busy]);

  async function take(found: Named[]) {
    if (!found.length || disabled) return;
    const { image_types, image_bytes } = await loadConfig();
    const faults = found.map((named) => fault(named, image_types, image_bytes));
    const good = found.filter((_, number) => !faults[number]);
    const bad = found.flatMap(({ name }, number) => {
      const reason = faults[number];
      return reason ? [{ name, reason }] : [];
    });
    setProgress((before) => ({
      total: (busy ? before.total : 0) + found.length,
      sent: busy ? before.sent : 0,
      refused: [...(busy ? before.refused : []), ...bad],
    }));
    await send(good, slots, (refusal) =>
      setProgress((before) =>
        refusal
          ? { ...before, refused: [...before.refused, refusal] }
          : { ...before, sent: before.sent + 1 },
      ),
    );
    done();
  }

  function drop(event: DragEvent) {
    event.preventDefault();
    setOver(false);
    void filesOf(event.dataTransfer.items).then(take);
  }

  return (
    <SpaceBetween size="s">
      <div
        className={over ? "drop over" : "drop"}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <SpaceBetween size="xs" alignItems="center">
          <Box>{disabled || `Drop ${what} or folders of them here`}</Box>
          <SpaceBetween direction="horizontal" size="xs">
            <Button
              iconName="upload"
              disabled={!!disabled}
              onClick={() => files.current?.click()}
            >
              Choose images
            </Button>
            <Button disabled={!!disabled} onClick={() => folder.current?.click()}>
              Choose a folder
            </Button>
          </SpaceBetween>
          <Box variant="small">PNG or JPEG, 64 to 4096 pixels a side, at most 15 MB.</Box>
        </SpaceBetween>
        {[files, folder].map((input, number) => (
          <input
            key={number}
            ref={input}
            type="file"
            multiple
            hidden
            aria-label={number ? "A folder of images" : "Images"}
            accept={number ? undefined : "image/png,image/jpeg"}
            onChange={(event) => {
              if (event.target.files) void take(chosen(event.target.files));
              event.target.value = "";
            }}
          />
        ))}
      </div>
      {total > 0 && (
        <ProgressBar
          value={(100 * (sent + refused.length)) / total}
          status={busy ? "in-progress" : refused.length ? "error" : "success"}
          label="Upload"
          additionalInfo={`${sent} of ${total} uploaded${refused.length ? `, ${refused.length} refused` : ""}`}
          resultText={`${sent} of ${total} uploaded${refused.length ? `, ${refused.length} refused` : ""}`}
        />
      )}
      {refused.length > 0 && (
        <Alert
          type="error"
          dismissible
          dismissAriaLabel="Close"
          header={`Not uploaded: ${refused.length}`}
          onDismiss={() => setProgress((before) => ({ ...before, total: before.sent, refused: [] }))}
        >
          <ul>
            {refused.map(({ name, reason }, number) => (
              <li key={`${number} ${name}`}>
                <strong>{name}</strong>: {reason}
              </li>
            ))}
          </ul>
        </Alert>
      )}
    </SpaceBetween>
  );
}
