import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { api } from "../../api/client";
import type { AlikeImages, LabelCount } from "../../api/types";
import { Confirm } from "../../parts/Confirm";
import { Failed } from "../../parts/Failed";
import { Picture } from "../../parts/Picture";
import { useAction } from "../../parts/useAction";
import { useLoad } from "../../parts/useLoad";
import { LabelField } from "./LabelField";

const POLL_MS = 30_000;
const AT_ONCE = 100;

/** Images that people answered "none of the above", in groups that look alike. */
export function NoLabelFits({ labels, done }: { labels: LabelCount[]; done: () => void }) {
  const groups = useLoad("no label fits", api.noLabelFits, POLL_MS);
  const [chosen, setChosen] = useState<AlikeImages>();
  const [label, setLabel] = useState("");
  const { act, busy, notice } = useAction();

  function make({ images }: AlikeImages) {
    setChosen(undefined);
    void act(async () => {
      const ids = images.slice(0, AT_ONCE).map(({ id }) => id);
      const answer = await api.makeLabel(label.trim(), ids);
      groups.refresh();
      done();
      const reasons = answer.failed.map(({ message }) => message).join(" ");
      return answer.failed.length
        ? { type: "error", text: `${answer.done} are ${label} now, others not: ${reasons}` }
        : { type: "success", text: `${answer.done} images are ${label} now.` };
    });
  }

  const items = groups.data?.items ?? [];
  if (!items.length && !groups.error && !notice) return null;
  return (
    <Container
      header={
        <Header
          variant="h2"
          description="People answered “none of the above”. Images that look alike stand together: give them a label, which may be new."
        >
          No label fits
        </Header>
      }
    >
      <SpaceBetween size="m">
        {notice}
        {groups.error && <Failed error={groups.error} retry={groups.refresh} />}
        {items.map((group) => (
          <SpaceBetween key={group.images[0]?.id} direction="horizontal" size="xs">
            {group.images.slice(0, AT_ONCE).map(({ id, image, picture }) => (
              <Picture key={id} src={picture} alt={image} size="small" />
            ))}
            <Button disabled={busy} onClick={() => setChosen(group)}>
              {`Give a label to ${Math.min(group.images.length, AT_ONCE)}`}
            </Button>
          </SpaceBetween>
        ))}
        {!items.length && <Box>None is left.</Box>}
      </SpaceBetween>
      {chosen && (
        <Confirm
          title={`Which label have these ${Math.min(chosen.images.length, AT_ONCE)} images?`}
          action="Give the label"
          disabled={!label.trim()}
          onCancel={() => setChosen(undefined)}
          onConfirm={() => make(chosen)}
        >
          <LabelField label={label} labels={labels} onChange={setLabel} />
        </Confirm>
      )}
    </Container>
  );
}
