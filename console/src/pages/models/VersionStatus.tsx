import StatusIndicator, {
  type StatusIndicatorProps,
} from "@cloudscape-design/components/status-indicator";
import type { VersionStatus as Status } from "../../api/types";

const STATUSES: Record<Status, { type: StatusIndicatorProps.Type; text: string }> = {
  training: { type: "in-progress", text: "Training" },
  training_failed: { type: "error", text: "Training failed" },
  below_gate: { type: "stopped", text: "Below the minimum F1" },
  not_better: { type: "stopped", text: "Not better" },
  waiting_for_approval: { type: "pending", text: "Waits for approval" },
  rejected: { type: "stopped", text: "Rejected" },
  failed: { type: "error", text: "Failed" },
  in_service: { type: "success", text: "In service" },
  replaced: { type: "stopped", text: "Replaced" },
  imported: { type: "info", text: "Imported" },
};

export function VersionStatus({ status }: { status: Status }) {
  const { type, text } = STATUSES[status];
  return <StatusIndicator type={type}>{text}</StatusIndicator>;
}
