import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ProgressBar from "@cloudscape-design/components/progress-bar";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { type DragEvent, useEffect, useRef, useState } from "react";
import { useRoute } from "../route";
import { loadConfig } from "../../api/session";
import { useLoad } from "../useLoad";
import { type Failure, type Selection, chosenFiles, droppedFiles, megabytes } from "./files";
import type { RequestPosts } from "./send";
import "./upload.css";
import { isBusy } from "./uploads";
import { useUploads } from "./useUploads";

interface Props {
  what: string;
  requestPosts: RequestPosts;
  /** Some files have arrived, perhaps not yet the last. */
  done: () => void;
  /** Decides what is sent of what was dropped; without it all of it is. */
  take?: (selection: Selection, send: (selection: Selection) => void) => void;
}

/** Where images are dropped, or chosen: files or whole folders, many at once. */
export function Upload({ what, requestPosts, done, take = sendAll }: Props) {
  const [progress, uploads] = useUploads(useRoute().page);
  const { data: config } = useLoad("config", loadConfig);
  const [over, setOver] = useState(false);
  const { total, sent, failures } = progress;
  const alsoFailed = failures.length ? `, ${failures.length} refused` : "";
  const counts = `${sent} of ${total} uploaded${alsoFailed}`;
  const busy = isBusy(progress);

  useEffect(openNothing, []);

  function send(selection: Selection) {
    void uploads.add(selection, requestPosts, done);
  }

  function receive(selection: Selection) {
    if (selection.files.length + selection.unreadable.length) take(selection, send);
  }

  function drop(event: DragEvent) {
    event.preventDefault();
    setOver(false);
    void droppedFiles(event.dataTransfer.items).then(receive);
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
          value={(100 * (sent + failures.length)) / total}
          status={busy ? "in-progress" : failures.length ? "error" : "success"}
          label="Upload"
          additionalInfo={busy && counts}
          resultText={counts}
        />
      )}
      {failures.length > 0 && (
        <Failures
          failures={failures}
          retry={(selection) => {
            uploads.forgetFailures();
            send(selection);
          }}
          close={() => uploads.forgetFailures()}
        />
      )}
    </SpaceBetween>
  );
}

function sendAll(selection: Selection, send: (selection: Selection) => void) {
  send(selection);
}

interface ChooseProps {
  text: string;
  folder?: boolean;
  take: (selection: Selection) => void;
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
          if (target.files) take(chosenFiles(target.files));
          // So that the same file can be chosen again.
          target.value = "";
        }}
      />
    </>
  );
}

interface FailuresProps {
  failures: Failure[];
  retry: (selection: Selection) => void;
  close: () => void;
}

function Failures({ failures, retry, close }: FailuresProps) {
  const files = failures.flatMap(({ retry }) => retry ?? []);
  return (
    <Alert
      type="error"
      dismissible
      i18nStrings={{ dismissAriaLabel: "Close" }}
      header={`Not uploaded: ${failures.length}`}
      onDismiss={close}
      action={
        files.length > 0 && (
          <Button onClick={() => retry({ files, unreadable: [] })}>Try again</Button>
        )
      }
    >
      <ul className="listed" tabIndex={0} aria-label="Files that were not uploaded">
        {failures.map(({ name, reason }, number) => (
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
