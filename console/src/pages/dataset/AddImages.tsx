import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { api } from "../../api/client";
import type { LabelCount, Training } from "../../api/types";
import { NextCheck } from "../../parts/NextCheck";
import { Upload } from "../../parts/upload/Upload";
import { type Selection, fault } from "../../parts/upload/files";
import { loadConfig } from "../../api/session";
import { LabelField } from "./LabelField";
import { Preview } from "./Preview";
import { type Plan, planLabels } from "./labelled";

interface Props {
  labels: LabelCount[];
  training: Training | undefined;
  done: () => void;
}

/** Where labelled images come in: under a label that is written, or by folders. */
export function AddImages({ labels, training, done }: Props) {
  const [label, setLabel] = useState("");
  const [asks, setAsks] = useState<{ plan: Plan; send: (selection: Selection) => void }>();
  const written = label.trim();

  async function take(selection: Selection, send: (selection: Selection) => void) {
    const { image_types, image_bytes } = await loadConfig();
    const plan = planLabels(selection, written, (image) => fault(image, image_types, image_bytes));
    if (plan.byFolder) setAsks({ plan, send });
    else send({ files: plan.files, unreadable: plan.leftOut });
  }

  return (
    <Container header={<Header variant="h2">Add images</Header>}>
      <SpaceBetween size="m">
        <LabelField label={label} labels={labels} onChange={setLabel} />
        <Box variant="small">
          Without a label, drop folders: each sub-folder of a folder is a label.
        </Box>
        <Upload
          what={written ? `images of “${written}”` : "a folder with one sub-folder a label"}
          requestPosts={api.requestLabelledPosts}
          take={(selection, send) => void take(selection, send)}
          done={done}
        />
        {training && <NextCheck training={training} />}
        {asks && (
          <Preview
            plan={asks.plan}
            written={written}
            onCancel={() => setAsks(undefined)}
            onConfirm={() => {
              asks.send({ files: asks.plan.files, unreadable: [] });
              setAsks(undefined);
            }}
          />
        )}
      </SpaceBetween>
    </Container>
  );
}
