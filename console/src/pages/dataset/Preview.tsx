import Box from "@cloudscape-design/components/box";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { Confirm } from "../../parts/Confirm";
import { type Plan, countLabels } from "./labelled";

interface Props {
  plan: Plan;
  /** The label that was written above, which folders do not use. */
  written: string;
  onConfirm: () => void;
  onCancel: () => void;
}

/** What a drop of folders would upload; nothing has been sent yet. */
export function Preview({ plan, written, onConfirm, onCancel }: Props) {
  const { files, leftOut } = plan;
  const labels = countLabels(files);
  return (
    <Confirm
      title={`Upload ${counted(labels.length, "label")}, ${counted(files.length, "image")}?`}
      action="Upload"
      disabled={!files.length}
      onConfirm={onConfirm}
      onCancel={onCancel}
    >
      <SpaceBetween size="s">
        <Box>
          Each folder is a label.{" "}
          {written && labels.every(([label]) => label !== written) && `“${written}” is not used.`}
        </Box>
        <ul className="listed" tabIndex={0} aria-label="Labels">
          {labels.map(([label, count]) => (
            <li key={label}>
              <strong>{label}</strong>: {counted(count, "image")}
            </li>
          ))}
        </ul>
        {leftOut.length > 0 && (
          <>
            <Box variant="h3">Left out: {leftOut.length}</Box>
            <ul className="listed" tabIndex={0} aria-label="Files that are left out">
              {leftOut.map(({ name, reason }) => (
                <li key={name}>
                  <strong>{name}</strong>: {reason}
                </li>
              ))}
            </ul>
          </>
        )}
      </SpaceBetween>
    </Confirm>
  );
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
