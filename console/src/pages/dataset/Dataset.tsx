import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import Link from "@cloudscape-design/components/link";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { useState } from "react";
import { api } from "../../api/client";
import type { Example, ExampleFilter, LabelCount, ManyDone } from "../../api/types";
import { Failed } from "../../parts/Failed";
import { Pager } from "../../parts/Pager";
import { Picture } from "../../parts/Picture";
import { localTime } from "../../parts/time";
import { useLoad } from "../../parts/useLoad";
import { usePages } from "../../parts/usePages";
import { go, link, useRoute } from "../../parts/route";
import { AddImages } from "./AddImages";
import { LabelField } from "./LabelField";
import { LabelTable } from "./LabelTable";
import { Confirm } from "../../parts/Confirm";
import { LookAgain } from "./LookAgain";
import { NoLabelFits } from "./NoLabelFits";
import { OneExample } from "./OneExample";
import { useAction } from "../../parts/useAction";

const POLL_MS = 4000;
const MOST_REFERENCES = 4;
const SPLITS = [
  { value: "", label: "Train and test" },
  { value: "train", label: "To train" },
  { value: "test", label: "To test" },
];
const STATUSES = [
  { value: "", label: "Every status" },
  { value: "registered", label: "In the dataset" },
  { value: "removed", label: "Removed" },
  { value: "rejected", label: "Not usable" },
];

export function Dataset() {
  const labels = useLoad("labels", api.labels, POLL_MS);
  const known = labels.data?.labels ?? [];
  return (
    <SpaceBetween size="l">
      <Header variant="h1" description="The labelled images that the model learns from.">
        Dataset
      </Header>
      {labels.error && <Failed error={labels.error} retry={labels.refresh} />}
      <AddImages labels={known} training={labels.data?.training} done={labels.refresh} />
      <LabelTable
        labels={known}
        loading={!labels.data && !labels.error}
        changed={labels.refresh}
      />
      <LookAgain labels={known} done={labels.refresh} />
      <NoLabelFits labels={known} done={labels.refresh} />
      <Examples labels={known} changed={labels.refresh} />
    </SpaceBetween>
  );
}

function Examples({ labels, changed }: { labels: LabelCount[]; changed: () => void }) {
  const { query } = useRoute();
  // The address may say anything; the API says what it takes.
  const filter = { label: query.label, split: query.split, status: query.status } as ExampleFilter;
  const pages = usePages(
    JSON.stringify(filter),
    (cursor) => api.examples(filter, cursor),
    POLL_MS,
  );
  const [selected, setSelected] = useState<Example[]>([]);
  const [asks, setAsks] = useState<"relabel" | "remove">();
  const [label, setLabel] = useState("");
  const { act, busy, notice } = useAction();
  const set = (changes: Record<string, string | undefined>) =>
    go("dataset", { ...query, ...changes });
  const choices = [
    { value: "", label: "Every label" },
    ...labels.map((one) => ({ value: one.label, label: one.label })),
  ];

  function order(words: string, call: (ids: string[]) => Promise<ManyDone>) {
    setAsks(undefined);
    void act(async () => {
      const { done, failed } = await call(selected.map(({ id }) => id));
      setSelected([]);
      pages.refresh();
      changed();
      const reasons = failed.map(({ message }) => message).join(" ");
      return failed.length
        ? { type: "error", text: `${done} ${words}, ${failed.length} not: ${reasons}` }
        : { type: "success", text: `${done} ${words}. The list follows in a moment.` };
    });
  }

  function show() {
    void act(async () => {
      const label = selected[0]?.label ?? "";
      await api.showLabel(
        label,
        selected.map(({ id }) => id),
      );
      setSelected([]);
      return { type: "success", text: `Reviewers see them as what ${label} means.` };
    });
  }

  return (
    <SpaceBetween size="m">
      {notice}
      {pages.error && <Failed error={pages.error} retry={pages.refresh} />}
      <Table
        header={
          <Header
            variant="h2"
            counter={selected.length ? `(${selected.length} chosen)` : ""}
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                <Button disabled={busy || !selected.length} onClick={() => setAsks("relabel")}>
                  Change the label
                </Button>
                <Button disabled={busy || !canShow(selected)} onClick={show}>
                  Show to reviewers
                </Button>
                <Button disabled={busy || !selected.length} onClick={() => setAsks("remove")}>
                  Remove
                </Button>
              </SpaceBetween>
            }
          >
            Labelled images
          </Header>
        }
        filter={
          <SpaceBetween direction="horizontal" size="xs">
            {(
              [
                ["label", "Label", choices],
                ["split", "Train or test", SPLITS],
                ["status", "Status", STATUSES],
              ] as const
            ).map(([name, words, options]) => (
              <Select
                key={name}
                ariaLabel={words}
                selectedOption={options.find(({ value }) => value === (query[name] ?? "")) ?? null}
                options={options}
                onChange={({ detail }) => set({ [name]: detail.selectedOption.value })}
              />
            ))}
          </SpaceBetween>
        }
        items={pages.items}
        trackBy="id"
        loading={!pages.data && pages.loading}
        loadingText="Loading images"
        pagination={<Pager pages={pages} />}
        selectionType="multi"
        selectedItems={selected}
        isItemDisabled={({ status }) => status === "removed"}
        onSelectionChange={({ detail }) => setSelected(detail.selectedItems)}
        ariaLabels={{
          tableLabel: "Labelled images",
          selectionGroupLabel: "Images to change",
          allItemsSelectionLabel: () => "All images of this page",
          itemSelectionLabel: (_, { image }) => image,
        }}
        wrapLines
        empty={<Box textAlign="center">No labelled image matches.</Box>}
        columnDefinitions={[
          {
            id: "picture",
            header: "Picture",
            width: 100,
            cell: (one) => <Picture src={one.picture} alt={one.image} size="small" />,
          },
          {
            id: "image",
            header: "Image",
            isRowHeader: true,
            cell: (one) => (
              <Link href={link("dataset", { ...query, image: one.id })}>{one.image}</Link>
            ),
          },
          { id: "label", header: "Label", cell: (one) => one.label },
          { id: "split", header: "For", cell: use },
          {
            id: "by",
            header: "Labelled by",
            cell: ({ by, source }) =>
              by.join(", ") || (source === "uploaded" ? "an upload" : source),
          },
          { id: "at", header: "When", cell: ({ at }) => localTime(at) },
        ]}
      />
      {asks === "remove" && (
        <Confirm
          title={`Remove ${selected.length} images?`}
          action="Remove"
          onCancel={() => setAsks(undefined)}
          onConfirm={() => order("removed", api.remove)}
        >
          They are not trained on or tested with any more. The bucket keeps their old versions.
        </Confirm>
      )}
      {asks === "relabel" && (
        <Confirm
          title={`Change the label of ${selected.length} images?`}
          action="Change"
          disabled={!label.trim()}
          onCancel={() => setAsks(undefined)}
          onConfirm={() => order("relabelled", (ids) => api.relabel(ids, label.trim()))}
        >
          <LabelField label={label} labels={labels} onChange={setLabel} />
        </Confirm>
      )}
      {query.image && (
        <OneExample id={query.image} close={() => go("dataset", { ...query, image: undefined })} />
      )}
    </SpaceBetween>
  );
}

/** Up to four images of one label can be its reference images. */
function canShow(selected: Example[]): boolean {
  const labels = new Set(selected.map(({ label }) => label));
  return labels.size === 1 && selected.length <= MOST_REFERENCES;
}

function use({ status, split, reason }: Example): string {
  if (status === "removed") return "Removed";
  if (status === "rejected") return `Not usable: ${reason}`;
  if (reason) return reason;
  if (split === "train") return "Training";
  return split === "test" ? "Testing only" : "Neither, to keep the test honest";
}
