import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import Link from "@cloudscape-design/components/link";
import Popover from "@cloudscape-design/components/popover";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import Table from "@cloudscape-design/components/table";
import { useState } from "react";
import { api } from "../../api/client";
import type { Version } from "../../api/types";
import { Failed } from "../../parts/Failed";
import { localTime } from "../../parts/time";
import { useLoad } from "../../parts/useLoad";
import { go, link, useRoute } from "../../parts/route";
import { loadConfig } from "../../api/session";
import { Comparison } from "./Comparison";
import { Confusion } from "./Confusion";
import { LabelScores } from "./LabelScores";
import { Snapshot } from "./Snapshot";
import { VersionActions } from "./VersionActions";
import { VersionStatus } from "./VersionStatus";
import { F1_MEANING, FEW_IMAGES, REKOGNITIONS_F1, f1Text } from "../../parts/f1";
import { useAction } from "../../parts/useAction";

const POLL_MS = 4000;

function why({ reason, retry_at }: Version): string {
  return retry_at ? `${reason}; tried again after ${localTime(retry_at)}` : reason;
}

/** Whether the newest attempt failed, so that it can be taken up with the same data. */
function canTryAgain(newest: Version | undefined): boolean {
  return newest !== undefined && (newest.retry_at !== "" || newest.status.endsWith("failed"));
}

export function Models() {
  const { data, error, refresh } = useLoad("models", api.models, POLL_MS);
  const { data: config } = useLoad("config", loadConfig);
  const { version, against } = useRoute().query;
  const { act, busy, notice } = useAction();
  const [selected, setSelected] = useState<Version[]>([]);

  function order(call: () => Promise<{ message: string }>) {
    void act(async () => {
      const { message } = await call();
      refresh();
      return { type: "success", text: message };
    });
  }

  const versions = data?.items ?? [];
  const open = versions.find(({ name }) => name === version);
  return (
    <SpaceBetween size="l">
      <Header
        variant="h1"
        description="Versions of the model: how each did, and why it was or was not put into service."
        actions={
          <SpaceBetween direction="horizontal" size="xs">
            <Button disabled={busy} onClick={() => order(api.start)}>
              Start the model
            </Button>
            <Button disabled={busy} onClick={() => order(api.stop)}>
              Stop the model
            </Button>
            {canTryAgain(versions[0]) && (
              <Button disabled={busy} onClick={() => order(() => api.train(true))}>
                Try {versions[0]?.name} again
              </Button>
            )}
            <Button variant="primary" disabled={busy} onClick={() => order(() => api.train())}>
              Train now
            </Button>
          </SpaceBetween>
        }
      >
        Models
      </Header>
      <Box variant="small">
        {config && !config.billed
          ? "Nothing is billed on this machine. "
          : "A running model is billed by the hour, also while it has nothing to do. "}
        A stopped one starts again when images wait.
      </Box>
      {notice}
      {error && <Failed error={error} retry={refresh} />}
      <Table
        items={versions}
        trackBy="name"
        wrapLines
        loading={!data && !error}
        loadingText="Loading versions"
        selectionType="multi"
        selectedItems={selected}
        onSelectionChange={({ detail }) => setSelected(detail.selectedItems.slice(-2))}
        ariaLabels={{
          tableLabel: "Versions",
          selectionGroupLabel: "Versions to compare",
          allItemsSelectionLabel: () => "All versions",
          itemSelectionLabel: (_, { name }) => name,
        }}
        header={
          <Header
            variant="h2"
            actions={
              <Button
                disabled={selected.length !== 2}
                onClick={() => {
                  const [newer, older] = [...selected].sort((a, b) => b.at.localeCompare(a.at));
                  go("models", { version: newer?.name, against: older?.name });
                }}
              >
                Compare two
              </Button>
            }
          >
            Versions
          </Header>
        }
        empty={
          <Box textAlign="center">
            No version has been trained yet: add labelled images on the page Dataset.
          </Box>
        }
        columnDefinitions={[
          {
            id: "name",
            header: "Version",
            isRowHeader: true,
            cell: ({ name }) => <Link href={link("models", { version: name })}>{name}</Link>,
          },
          {
            id: "status",
            header: "Status",
            minWidth: 150,
            cell: ({ status }) => <VersionStatus status={status} />,
          },
          { id: "f1", header: REKOGNITIONS_F1, cell: ({ f1 }) => f1Text(f1) },
          {
            id: "images",
            header: "Images",
            cell: (one) =>
              `${one.training_images} to train, ${few(one.holdout_images)} to test`,
          },
          {
            id: "samples",
            header: "People agree",
            cell: ({ samples, samples_agreed }) =>
              samples ? `${samples_agreed} of ${samples} samples` : "–",
          },
          {
            id: "reports",
            header: "Reported",
            cell: ({ reports, reports_confirmed }) =>
              reports ? `${reports_confirmed} of ${reports} were wrong` : "–",
          },
          { id: "reason", header: "Why", minWidth: 240, cell: why },
          { id: "at", header: "Begun", cell: ({ at }) => localTime(at) },
        ]}
      />
      {open && <Detail key={open.name} version={open} against={against} order={order} busy={busy} />}
    </SpaceBetween>
  );
}

function few(images: number): string {
  return images > 0 && images < FEW_IMAGES ? `only ${images}` : String(images);
}

interface DetailProps {
  version: Version;
  against: string | undefined;
  order: (call: () => Promise<{ message: string }>) => void;
  busy: boolean;
}

function Detail({ version, against, order, busy }: DetailProps) {
  const { name, status } = version;
  const { data, error, refresh } = useLoad(`${name} ${status}`, () => api.model(name));
  return (
    <SpaceBetween size="l">
      <Header
        variant="h2"
        actions={
          <SpaceBetween direction="horizontal" size="xs">
            <VersionActions version={version} order={order} busy={busy} />
            <Button iconName="close" ariaLabel={`Close ${name}`} onClick={() => go("models")} />
          </SpaceBetween>
        }
      >
        {name}
      </Header>
      {error && <Failed error={error} retry={refresh} />}
      {!data && !error && <Spinner />}
      {data && (
        <SpaceBetween size="l">
          {against && <Comparison older={against} newer={name} />}
          <KeyValuePairs
            columns={3}
            items={[
              { label: "Decision", value: data.reason },
              {
                label: REKOGNITIONS_F1,
                value: (
                  <Popover content={F1_MEANING} dismissAriaLabel="Close">
                    {f1Text(data.f1)}
                  </Popover>
                ),
              },
              { label: "Labels", value: data.labels.join(", ") },
              { label: "The service says", value: data.model_status || "It is gone" },
              ...[...data.accuracy, ...data.comparison].map((line) => ({
                label: line.name,
                value: line.value,
              })),
            ]}
          />
          <LabelScores scores={data.per_label} />
          <Confusion confusion={data.confusion} />
          <Snapshot counts={data.snapshot} />
        </SpaceBetween>
      )}
    </SpaceBetween>
  );
}
