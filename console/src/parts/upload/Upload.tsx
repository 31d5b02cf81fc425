import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ProgressBar from "@cloudscape-design/components/progress-bar";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { type DragEvent, useEffect, useRef, useState } from "react";
import { useRoute } from "../route";
import { loadConfig } from "../../api/session";
import { type AskForSlots, type Found, type Refusal, chosen, filesOf, megabytes } from "./upload";
import "./upload.css";
import { isBusy, useUploads } from "./uploads";
import { useLoad } from "../useLoad";

interface Props {
  what: string;
  slots: AskForSlots;
  /** Some files have arrived, perhaps not yet the last. */
  done: () => void;
  /** Decides what is sent of what was dropped; without it all of it is. */
  take?: (found: Found, send: (found: Found) => void) => void;
}

/** Where images are dropped, or chosen: files or whole folders, many at once. */
export function Upload({ what, slots, done, take = sendAll }: Props) {
  const [progress, uploads] = useUploads(useRoute().page);
  const { data: config } = useLoad("config", loadConfig);
  const [over, setOver] = useState(false);
  const { total, sent, refused } = progress;
  const alsoRefused = refused.length ? `, ${refused.length} refused` : "";
  const counts = `${sent} of ${total} uploaded${alsoRefused}`;
  const busy = isBusy(progress);

  useEffect(openNothing, []);

  function send(found: Found) {
    void uploads.take(found, slots, done);
  }

  function receive(found: Found) {
    if (found.files.length + found.unreadable.length) take(found, send);
  }

  function drop(event: DragEvent) {
    event.preventDefault();
    setOver(false);
    void filesOf(event.dataTransfer.items).then(receive);
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
          <Box>{`Drop ${what} here`}</Box>
          <SpaceBetween direction="horizontal" size="xs">
            <Choose text="Choose images" take={receive} />
            <Choose text="Choose a folder" folder take={receive} />
          </SpaceBetween>
          {config && (
            <Box variant="small">
              {`PNG or JPEG, 64 to 4096 pixels a side, at most ${megabytes(config.image_bytes)}.`}
            </Box>
          )}
        </SpaceBetween>
      </div>
      {total > 0 && (
        <ProgressBar
          value={(100 * (sent + refused.length)) / total}
          status={busy ? "in-progress" : refused.length ? "error" : "success"}
          label="Upload"
          additionalInfo={busy && counts}
          resultText={counts}
        />
      )}
      {refused.length > 0 && (
        <Refused
          refused={refused}
          again={(found) => {
            uploads.forgetRefused();
            send(found);
          }}
          close={() => uploads.forgetRefused()}
        />
      )}
    </SpaceBetween>
  );
}

function sendAll(found: Found, send: (found: Found) => void) {
  send(found);
}

interface ChooseProps {
  text: string;
  folder?: boolean;
  take: (found: Found) => void;
}

function Choose({ text, folder = false, take }: ChooseProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <Button
        iconName={folder ? "folder" : "upload"}
        onClick={() => input.current?.click()}
      >
        {text}
      </Button>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label={text}
        {...(folder ? { webkitdirectory: "" } : { accept: "image/png,image/jpeg" })}
        onChange={({ target }) => {
          if (target.files) take(chosen(target.files));
          // So that the same file can be chosen again.
          target.value = "";
        }}
      />
    </>
  );
}

interface RefusedProps {
  refused: Refusal[];
  again: (found: Found) => void;
  close: () => void;
}

function Refused({ refused, again, close }: RefusedProps) {
  const files = refused.flatMap(({ again }) => again ?? []);
  return (
    <Alert
      type="error"
      dismissible
      dismissAriaLabel="Close"
      header={`Not uploaded: ${refused.length}`}
      onDismiss={close}
      action={
        files.length > 0 && (
          <Button onClick={() => again({ files, unreadable: [] })}>Try again</Button>
        )
      }
    >
      <ul className="listed" tabIndex={0} aria-label="Files that were not uploaded">
        {refused.map(({ name, reason }, number) => (
          <li key={`${number} ${name}`}>
            <strong>{name}</strong>: {reason}
          </li>
        ))}
      </ul>
    </Alert>
  );
}

/** A file that is dropped beside its place would replace the page. */
function openNothing() {
  const stop = (event: Event) => event.preventDefault();
  window.addEventListener("dragover", stop);
  window.addEventListener("drop", stop);
  return () => {
    window.removeEventListener("dragover", stop);
    window.removeEventListener("drop", stop);
  };
}
