import Box from "@cloudscape-design/components/box";
import type { Training } from "../api/types";

/** Whether the next check trains, and why not. */
export function NextCheck({ training: { due, reason } }: { training: Training }) {
  return (
    <Box variant="small">
      {due ? "The next check trains: " : "The next check does not train: "}
      {reason}.
    </Box>
  );
}
