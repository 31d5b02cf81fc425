import Alert from "@cloudscape-design/components/alert";
import { type ReactNode, useState } from "react";

interface Said {
  type: "info" | "success" | "error";
  text: ReactNode;
}

export type Act = (order: () => Promise<Said>) => Promise<void>;

/**
 * Something that a person orders: `act` does it once at a time, `said` shows what came of it.
 */
export function useAction() {
  const [busy, setBusy] = useState(false);
  const [said, setSaid] = useState<Said>();

  const act: Act = async (order) => {
    setBusy(true);
    try {
      setSaid(await order());
    } catch (error) {
      setSaid({ type: "error", text: (error as Error).message });
    } finally {
      setBusy(false);
    }
  };

  return {
    act,
    busy,
    said: said && (
      <Alert type={said.type} dismissible dismissAriaLabel="Close" onDismiss={() => setSaid(undefined)}>
        {said.text}
      </Alert>
    ),
  };
}
