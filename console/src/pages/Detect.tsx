import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import DatePicker from "@cloudscape-design/components/date-picker";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import Link from "@cloudscape-design/components/link";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { useState } from "react";
import { type DetectionFilter, STATES, type State, api } from "../api";
import { Labels } from "../parts/Confidence";
import { Failed } from "../parts/Failed";
import { Pager } from "../parts/Pager";
import { Picture } from "../parts/Picture";
import { STATE_WORDS, StateBadge } from "../parts/StateBadge";
import { Upload } from "../parts/Upload";
import { dayBounds, localTime } from "../parts/time";
import { usePages } from "../parts/usePages";
import { go, link, useRoute } from "../route";
import { Download } from "./detect/Download";
import { OnePicture } from "./detect/OnePicture";

const POLL_MS = 2000;

export function Detect() {
  const { query } = useRoute();
  const filter = filterOf(query);
  const pages = usePages(
    JSON.stringify(filter),
    (cursor) => api.detections(filter, cursor),
    POLL_MS,
  );
  const open = query.image;
  return (
    <SpaceBetween size="l">
      <Header
        variant="h1"
        description="Drop images, and read what the model, or a person, found in them."
        actions={<Download filter={filter} />}
      >
        Detect
      </Header>
      <Upload what="images" slots={api.uploadSlots} done={pages.refresh} />
      <Filters query={query} />
      {pages.error && <Failed error={pages.error} retry={pages.refresh} />}
      <Table
        variant="container"
        header={<Header variant="h2">Results</Header>}
        items={pages.items}
        trackBy="id"
        loading={!pages.data && pages.loading}
        loadingText="Loading results"
        ariaLabels={{ tableLabel: "Results" }}
        pagination={<Pager pages={pages} />}
        empty={
          <Box textAlign="center" padding="l">
            {Object.keys(query).length
              ? "No image matches. Clear the filters to see all of them."
              : "No image has been uploaded yet. Drop some above."}
          </Box>
        }
        columnDefinitions={[
          {
            id: "picture",
            header: "Picture",
            width: 100,
            cell: (found) => (
              <Picture
                src={found.picture}
                alt={found.image}
                size="small"
                labels={found.labels.slice(0, 10)}
              />
            ),
          },
          {
            id: "image",
            header: "Image",
            isRowHeader: true,
            cell: (found) => (
              <Link href={link("detect", { ...query, image: found.id })}>{found.image}</Link>
            ),
          },
          { id: "state", header: "State", cell: ({ state }) => <StateBadge state={state} /> },
          { id: "labels", header: "Labels", cell: ({ labels }) => <Labels labels={labels} /> },
          { id: "at", header: "Uploaded", cell: ({ at }) => localTime(at) },
        ]}
      />
      {open && (
        <OnePicture id={open} close={() => go("detect", { ...query, image: undefined })} />
      )}
    </SpaceBetween>
  );
}

function filterOf(query: Record<string, string>): DetectionFilter {
  const state = STATES.find((state) => state === query.state);
  return {
    state,
    label: query.label,
    min: query.min ? Number(query.min) : undefined,
    max: query.max ? Number(query.max) : undefined,
    ...(query.day ? dayBounds(query.day) : {}),
  };
}

function Filters({ query }: { query: Record<string, string> }) {
  const [label, setLabel] = useState(query.label ?? "");
  const set = (changes: Record<string, string | undefined>) => go("detect", { ...query, ...changes });
  const states = [
    { value: "", label: "Every state" },
    ...STATES.map((state: State) => ({ value: state, label: STATE_WORDS[state].text })),
  ];
  return (
    <SpaceBetween direction="horizontal" size="s" alignItems="end">
      <FormField label="State">
        <Select
          selectedOption={states.find(({ value }) => value === (query.state ?? "")) ?? null}
          options={states}
          onChange={({ detail }) => set({ state: detail.selectedOption.value })}
        />
      </FormField>
      <FormField label="First label">
        <Input
          type="search"
          value={label}
          placeholder="Any"
          clearAriaLabel="Clear"
          onChange={({ detail }) => {
            setLabel(detail.value);
            if (!detail.value) set({ label: undefined });
          }}
          onBlur={() => set({ label })}
          onKeyDown={({ detail }) => detail.key === "Enter" && set({ label })}
        />
      </FormField>
      {(["min", "max"] as const).map((bound) => (
        <FormField key={bound} label={bound === "min" ? "At least %" : "At most %"}>
          <Input
            type="number"
            inputMode="decimal"
            value={query[bound] ?? ""}
            onChange={({ detail }) => set({ [bound]: detail.value })}
          />
        </FormField>
      ))}
      <FormField label="Day">
        <DatePicker
          value={query.day ?? ""}
          placeholder="YYYY/MM/DD"
          openCalendarAriaLabel={() => "Choose a day"}
          onChange={({ detail }) => {
            // While it is typed, it is no day yet.
            if (!detail.value || !Number.isNaN(Date.parse(detail.value))) set({ day: detail.value });
          }}
        />
      </FormField>
      <Button
        onClick={() => {
          setLabel("");
          go("detect");
        }}
      >
        Clear filters
      </Button>
    </SpaceBetween>
  );
}
