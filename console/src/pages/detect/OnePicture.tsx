import Box from "@cloudscape-design/components/box";
import ColumnLayout from "@cloudscape-design/components/column-layout";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import { api } from "../../api/client";
import type { DetectionDetail } from "../../api/types";
import { Labels, boxed } from "../../parts/Confidence";
import { Failed } from "../../parts/Failed";
import { Picture } from "../../parts/Picture";
import { ANSWERED, NOT_READ, StateBadge } from "../../parts/StateBadge";
import { localTime } from "../../parts/time";
import { useLoad } from "../../parts/useLoad";
import { useAction } from "../../parts/useAction";
import { ReadAgain } from "./ReadAgain";
import { ReportWrong } from "./ReportWrong";

const POLL_MS = 3000;

/** One image, large, with all that happened to it. */
export function OnePicture(props: { id: string; close: () => void; sentAgain: () => void }) {
  const { id, close, sentAgain } = props;
  const { data, error, refresh } = useLoad(id, () => api.detection(id), POLL_MS);
  const { act, busy, notice } = useAction();

  function changed() {
    refresh();
    sentAgain();
  }
  return (
    <Modal
      visible
      size="large"
      header={data?.image ?? "Image"}
      closeAriaLabel="Close"
      onDismiss={close}
      footer={
        data && (
          <Box float="right">
            {NOT_READ.includes(data.state) && (
              <ReadAgain images={[data]} act={act} busy={busy} done={changed} />
            )}
            {ANSWERED.includes(data.state) && (
              <ReportWrong image={data} act={act} busy={busy} done={changed} />
            )}
          </Box>
        )
      }
    >
      {notice}
      {error && <Failed error={error} retry={refresh} />}
      {!data && !error && <Spinner />}
      {data && <Detail detection={data} />}
    </Modal>
  );
}

function Detail({ detection }: { detection: DetectionDetail }) {
  return (
    <SpaceBetween size="l">
      <ColumnLayout columns={2}>
        <Picture
          key={detection.id}
          src={detection.picture}
          alt={detection.image}
          size="large"
          labels={boxed(detection.labels)}
        />
        <KeyValuePairs
          items={[
            { label: "State", value: <StateBadge state={detection.state} /> },
            { label: "Labels", value: <Labels labels={detection.labels} most={10} /> },
            { label: "Why", value: detection.reason || "–" },
            { label: "Read by", value: detection.version || "–" },
            { label: "Size", value: `${(detection.size / 1024).toFixed(0)} kB` },
          ]}
        />
      </ColumnLayout>
      <div>
        <Box variant="h3">What happened</Box>
        <ol>
          <li>
            <Box variant="small">{localTime(detection.at)}</Box> It was uploaded.
          </li>
          {detection.history.map((event) => (
            <li key={event.id}>
              <Box variant="small">{localTime(event.at)}</Box> {event.text}
            </li>
          ))}
        </ol>
      </div>
    </SpaceBetween>
  );
}
