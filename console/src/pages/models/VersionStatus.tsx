import StatusIndicator, {
  type StatusIndicatorProps,
} from "@cloudscape-design/components/status-indicator";

const STATUSES: Record<string, { type: StatusIndicatorProps.Type; text: string }> = {
  training: { type: "in-progress", text: "Training" },
  training_failed: { type: "error", text: "Training failed" },
  below_gate: { type: "stopped", text: "Below the minimum F1" },
  not_better: { type: "stopped", text: "Not better" },
  waiting_for_approval: { type: "pending", text: "Waits for approval" },
  rejected: { type: "stopped", text: "Rejected" },
  failed: { type: "error", text: "Failed" },
  in_service: { type: "success", text: "In service" },
  replaced: { type: "stopped", text: "Replaced" },
};

export function VersionStatus({ status }: { status: string }) {
  const { type, text } = STATUSES[status] ?? { type: "info", text: status };
  return <StatusIndicator type={type}>{text}</StatusIndicator>;
}
