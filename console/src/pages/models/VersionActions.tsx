import Button from "@cloudscape-design/components/button";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { api } from "../../api/client";
import type { Version, VersionStatus } from "../../api/types";
import { Confirm } from "../../parts/Confirm";

export type Order = (order: () => Promise<{ message: string }>) => void;

/** Statuses of versions that were never fit to be in service. */
const NEVER_TRAINED: VersionStatus[] = ["training", "training_failed", "waiting_for_approval"];

/** What an operator may order about one version. */
export function VersionActions(props: { version: Version; order: Order; busy: boolean }) {
  const { version, order, busy } = props;
  const { name, status } = version;
  const [asks, setAsks] = useState<"reject" | "roll back">();

  function confirmed(call: (name: string) => Promise<{ message: string }>) {
    setAsks(undefined);
    order(() => call(name));
  }

  return (
    <SpaceBetween direction="horizontal" size="xs">
      {status === "waiting_for_approval" && (
        <>
          <Button variant="primary" disabled={busy} onClick={() => order(() => api.approve(name))}>
            Approve {name}
          </Button>
          <Button disabled={busy} onClick={() => setAsks("reject")}>
            Reject {name}
          </Button>
        </>
      )}
      {!version.in_service && !NEVER_TRAINED.includes(status) && (
        <Button disabled={busy} onClick={() => setAsks("roll back")}>
          Roll back to {name}
        </Button>
      )}
      {asks === "reject" && (
        <Confirm
          title={`Reject ${name}?`}
          action={`Reject ${name}`}
          onConfirm={() => confirmed(api.reject)}
          onCancel={() => setAsks(undefined)}
        >
          {name} stays out of service and is stopped. The model in service goes on unchanged. You
          can still roll back to {name} later.
        </Confirm>
      )}
      {asks === "roll back" && (
        <Confirm
          title={`Roll back to ${name}?`}
          action={`Roll back to ${name}`}
          onConfirm={() => confirmed(api.rollBack)}
          onCancel={() => setAsks(undefined)}
        >
          {name} is started, tried on an image, and then answers in place of the model now in
          service, which is stopped. That takes some minutes; until then the model in service goes
          on. Nothing is deleted: you can change back in the same way.
        </Confirm>
      )}
    </SpaceBetween>
  );
}
