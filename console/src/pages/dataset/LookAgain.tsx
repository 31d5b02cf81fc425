import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { type KeyboardEvent, useState } from "react";
import { api } from "../../api/client";
import type { LabelCount, Suspect } from "../../api/types";
import { Confirm } from "../../parts/Confirm";
import { Failed } from "../../parts/Failed";
import { Picture } from "../../parts/Picture";
import { useAction } from "../../parts/useAction";
import { useLoad } from "../../parts/useLoad";
import { LabelField } from "./LabelField";
import { choices, labelOf, trainedOnIt } from "./suspects";

const POLL_MS = 30_000;

/** Labelled images whose label a version doubts, one after the other, the most doubtful first. */
export function LookAgain({ labels, done }: { labels: LabelCount[]; done: () => void }) {
  const suspects = useLoad("suspects", api.suspects, POLL_MS);
  // The list may still hold, for a moment, what was decided just now.
  const [decided, setDecided] = useState<string[]>([]);
  const { act, busy, notice } = useAction();
  const left = (suspects.data?.items ?? []).filter(({ id }) => !decided.includes(id));
  const [current] = left;

  function decide(suspect: Suspect, label: string) {
    if (busy) return;
    void act(async () => {
      const text =
        label === suspect.label
          ? (await api.confirmSuspect(suspect.id)).message
          : `${suspect.image} is ${label} now. ` +
            trainedOnIt((await api.correctSuspect(suspect.id, label)).versions);
      setDecided((before) => [...before, suspect.id]);
      suspects.refresh();
      done();
      return { type: "success", text };
    });
  }

  function press(event: KeyboardEvent) {
    if (!current || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    // The dialog's keys arrive here too, although it stands elsewhere in the page.
    if (!event.currentTarget.contains(event.target as Node)) return;
    // On a button, Enter presses that button.
    if (event.key === "Enter" && event.target !== event.currentTarget) return;
    const label = labelOf(event.key, current, labels);
    if (label) decide(current, label);
  }

  if (!left.length && !suspects.error && !notice) return null;
  return (
    <Container
      header={
        <Header
          variant="h2"
          counter={`(${left.length})`}
          description="A version that was not trained on these images takes them for something else."
        >
          Look at these again
        </Header>
      }
    >
      <SpaceBetween size="m">
        {notice}
        {suspects.error && <Failed error={suspects.error} retry={suspects.refresh} />}
        {current ? (
          <div
            className="look-again"
            role="group"
            aria-label="Decide with keys: Enter or Y confirms, a digit corrects"
            tabIndex={0}
            onKeyDown={press}
          >
            <One
              key={current.id}
              suspect={current}
              labels={labels}
              busy={busy}
              decide={(label) => decide(current, label)}
            />
          </div>
        ) : (
          <Box>None is left.</Box>
        )}
      </SpaceBetween>
    </Container>
  );
}

function One(props: {
  suspect: Suspect;
  labels: LabelCount[];
  busy: boolean;
  decide: (label: string) => void;
}) {
  const { suspect, labels, busy, decide } = props;
  const [asks, setAsks] = useState(false);
  const [label, setLabel] = useState("");
  const { image, picture, lead, version } = suspect;
  return (
    <SpaceBetween size="s">
      <Picture src={picture} alt={image} size="large" />
      <Box>
        {`${image} is labelled `}
        <strong>{suspect.label}</strong>
        {`. ${version} takes it for `}
        <strong>{suspect.instead}</strong>
        {`, by a lead of ${lead.toFixed(0)} points of confidence.`}
      </Box>
      <SpaceBetween direction="horizontal" size="xs">
        <Button variant="primary" disabled={busy} onClick={() => decide(suspect.label)}>
          {`Y  It is ${suspect.label}`}
        </Button>
        {choices(suspect, labels).map((choice, number) => (
          <Button key={choice} disabled={busy} onClick={() => decide(choice)}>
            {`${number + 1}  ${choice}`}
          </Button>
        ))}
        <Button disabled={busy} onClick={() => setAsks(true)}>Another label</Button>
      </SpaceBetween>
      <Box variant="small">Click the picture to decide with keys: Enter or Y, and digits.</Box>
      {asks && (
        <Confirm
          title={`Which label has ${image}?`}
          action="Change"
          disabled={!label.trim()}
          onCancel={() => setAsks(false)}
          onConfirm={() => {
            setAsks(false);
            decide(label.trim());
          }}
        >
          <LabelField label={label} labels={labels} onChange={setLabel} />
        </Confirm>
      )}
    </SpaceBetween>
  );
}
