import StatusIndicator, {
  type StatusIndicatorProps,
} from "@cloudscape-design/components/status-indicator";
import type { State } from "../api/types";

export const STATE_WORDS: Record<State, { type: StatusIndicatorProps.Type; text: string }> = {
  waiting: { type: "pending", text: "Waiting" },
  accepted: { type: "success", text: "Accepted" },
  review: { type: "in-progress", text: "With a reviewer" },
  answered: { type: "success", text: "Answered by a person" },
  unsure: { type: "warning", text: "Unsure" },
  rejected: { type: "error", text: "Not a usable image" },
  failed: { type: "error", text: "Failed" },
};

export const STATES = Object.keys(STATE_WORDS) as State[];
/** States of images that can be read again. */
export const ANSWERED: readonly State[] = ["accepted", "unsure", "answered"];
export const NOT_READ: readonly State[] = ["failed", "rejected"];

export function StateBadge({ state }: { state: State }) {
  const { type, text } = STATE_WORDS[state];
  return (
    <StatusIndicator type={type} wrapText={false}>
      {text}
    </StatusIndicator>
  );
}
