import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import { api } from "../../api/client";
import { Failed } from "../../parts/Failed";
import { Picture } from "../../parts/Picture";
import { localTime } from "../../parts/time";
import { useLoad } from "../../parts/useLoad";

/** One labelled image, and the versions that learned from it. */
export function OneExample({ id, close }: { id: string; close: () => void }) {
  const { data, error, refresh } = useLoad(id, () => api.example(id));
  return (
    <Modal
      visible
      size="large"
      header={data?.image ?? "Image"}
      closeAriaLabel="Close"
      onDismiss={close}
    >
      {error && <Failed error={error} retry={refresh} />}
      {!data && !error && <Spinner />}
      {data && (
        <SpaceBetween size="l">
          <Picture src={data.picture} alt={data.image} size="large" />
          <KeyValuePairs
            columns={3}
            items={[
              { label: "Label", value: data.label || "–" },
              { label: "Labelled by", value: data.by.join(", ") || "–" },
              { label: "Comes from", value: data.source || "–" },
              { label: "When", value: localTime(data.at) },
              { label: "Remark", value: data.reason || "–" },
              {
                label: "Versions made with it",
                value:
                  data.versions
                    .map(({ name, split }) => `${name} (to ${split})`)
                    .join(", ") || "None yet",
              },
            ]}
          />
        </SpaceBetween>
      )}
    </Modal>
  );
}
