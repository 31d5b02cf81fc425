import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import Textarea from "@cloudscape-design/components/textarea";
import { useState } from "react";
import { api } from "../../api/client";
import type { AboutLabel, LabelCount } from "../../api/types";
import { Failed } from "../../parts/Failed";
import { Picture } from "../../parts/Picture";
import { useAction } from "../../parts/useAction";
import { useLoad } from "../../parts/useLoad";
import { LabelField } from "./LabelField";

interface Props {
  label: string;
  labels: LabelCount[];
  changed: () => void;
  close: () => void;
}

/** What reviewers see of a label, and its name. */
export function OneLabel(props: Props) {
  const { data, error, refresh } = useLoad("about labels", api.aboutLabels);
  const about = data?.items.find(({ label }) => label === props.label);
  return (
    <Modal visible header={props.label} closeAriaLabel="Close" onDismiss={props.close}>
      {error && <Failed error={error} retry={refresh} />}
      {!data && !error && <Spinner />}
      {data && <Form {...props} about={about} />}
    </Modal>
  );
}

function Form({ label, labels, changed, close, about }: Props & { about?: AboutLabel }) {
  const [text, setText] = useState(about?.description ?? "");
  const [into, setInto] = useState("");
  const { act, busy, notice } = useAction();

  function describe() {
    void act(async () => {
      await api.describeLabel(label, text);
      return { type: "success", text: "Reviewers see it with their next image." };
    });
  }

  function move() {
    void act(async () => {
      const failed = await moveAll(label, into.trim());
      changed();
      if (!failed) close();
      return { type: "error", text: failed };
    });
  }

  return (
    <SpaceBetween size="m">
      {notice}
      <FormField label="Description" description="What reviewers read of it, at most 500 characters.">
        <Textarea value={text} onChange={({ detail }) => setText(detail.value)} />
      </FormField>
      <Button disabled={busy} onClick={describe}>
        Save the description
      </Button>
      {about && (
        <SpaceBetween direction="horizontal" size="xs">
          {about.references.map(({ id, picture }, number) => (
            <Picture key={id} src={picture} alt={`Reference ${number + 1}`} size="small" />
          ))}
        </SpaceBetween>
      )}
      <Box variant="small">
        Reference images are chosen below, among the labelled images: “Show to reviewers”.
      </Box>
      <LabelField label={into} labels={labels} onChange={setInto} />
      <Button disabled={busy || !into.trim() || into.trim() === label} onClick={move}>
        {labels.some((one) => one.label === into.trim())
          ? `Merge ${label} into ${into.trim()}`
          : "Rename to this label"}
      </Button>
    </SpaceBetween>
  );
}

/** Moves all images, some in each request; returns why some were not moved. */
async function moveAll(label: string, into: string): Promise<string> {
  const reasons: string[] = [];
  let more = true;
  while (more) {
    const answer = await api.mergeLabel(label, into);
    reasons.push(...answer.failed.map(({ message }) => message));
    more = answer.more;
  }
  return reasons.join(" ");
}
