import Alert from "@cloudscape-design/components/alert";
import { type ReactNode, useState } from "react";

interface Outcome {
  type: "info" | "success" | "error";
  text: ReactNode;
}

export type Act = (order: () => Promise<Outcome>) => Promise<void>;

/** An order of the reader: `act` carries out one at a time, `notice` shows what came of it. */
export function useAction() {
  const [busy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState<Outcome>();

  const act: Act = async (order) => {
    setBusy(true);
    try {
      setOutcome(await order());
    } catch (error) {
      setOutcome({ type: "error", text: (error as Error).message });
    } finally {
      setBusy(false);
    }
  };

  return {
    act,
    busy,
    notice: outcome && (
      <Alert
        type={outcome.type}
        dismissible
        i18nStrings={{ dismissAriaLabel: "Close" }}
        onDismiss={() => setOutcome(undefined)}
      >
        {outcome.text}
      </Alert>
    ),
  };
}
