import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { ReactNode } from "react";

/** Asks before something happens; `children` says what will. */
export function Confirm(props: {
  title: string;
  children: ReactNode;
  /** What the button that does it says. */
  action: string;
  onConfirm: () => void;
  onCancel: () => void;
  disabled?: boolean;
}) {
  const { title, children, action, onConfirm, onCancel, disabled } = props;
  return (
    <Modal
      visible
      header={title}
      closeAriaLabel="Cancel"
      onDismiss={onCancel}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onCancel}>Cancel</Button>
            <Button variant="primary" onClick={onConfirm} disabled={disabled}>{action}</Button>
          </SpaceBetween>
        </Box>
      }
    >
      {children}
    </Modal>
  );
}
