import Box from "@cloudscape-design/components/box";
import Header from "@cloudscape-design/components/header";
import Link from "@cloudscape-design/components/link";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { useRef, useState } from "react";
import { api } from "../../api/client";
import type { Detection, DetectionFilter, Page } from "../../api/types";
import { Labels, boxed } from "../../parts/Confidence";
import { Failed } from "../../parts/Failed";
import { Pager } from "../../parts/Pager";
import { Picture } from "../../parts/Picture";
import { NOT_READ, STATES, StateBadge } from "../../parts/StateBadge";
import { Upload } from "../../parts/upload/Upload";
import { dayBounds, isDay, localTime } from "../../parts/time";
import { usePages } from "../../parts/usePages";
import { go, link, useRoute } from "../../parts/route";
import { Download } from "./Download";
import { Filters } from "./Filters";
import { OnePicture } from "./OnePicture";
import { ReadAgain } from "./ReadAgain";
import { useAction } from "../../parts/useAction";

const POLL_MS = 2000;
const CALM_POLL_MS = 15_000;
/** So long after files were sent, their results are about to come. */
const EXPECTING_MS = 60_000;

export function Detect() {
  const { query } = useRoute();
  const { image: open, ...filters } = query;
  const filter = filterOf(filters);
  const sent = useRef(0);
  const [selected, setSelected] = useState<Detection[]>([]);
  const { act, busy, notice } = useAction();
  const poll = (page: Page<Detection> | undefined) =>
    Date.now() - sent.current < EXPECTING_MS || page?.items.some(({ state }) => state === "waiting")
      ? POLL_MS
      : CALM_POLL_MS;
  const pages = usePages(JSON.stringify(filter), (cursor) => api.detections(filter, cursor), poll);
  const expect = () => {
    sent.current = Date.now();
    pages.refresh();
  };
  return (
    <SpaceBetween size="l">
      <Header
        variant="h1"
        description="Drop images, and read what the model, or a person, found in them."
        actions={<Download filter={filter} />}
      >
        Detect
      </Header>
      <Upload what="images or folders of them" requestPosts={api.requestPosts} done={expect} />
      <Filters query={filters} />
      {notice}
      {pages.error && <Failed error={pages.error} retry={pages.refresh} />}
      <Table
        variant="container"
        wrapLines
        header={
          <Header
            variant="h2"
            counter={selected.length ? `(${selected.length} chosen)` : ""}
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                <ReadAgain
                  images={selected}
                  act={act}
                  busy={busy}
                  done={() => {
                    setSelected([]);
                    expect();
                  }}
                />
                <Pager pages={pages} />
              </SpaceBetween>
            }
          >
            Results
          </Header>
        }
        items={pages.items}
        trackBy="id"
        selectionType="multi"
        selectedItems={selected}
        isItemDisabled={({ state }) => !NOT_READ.includes(state)}
        onSelectionChange={({ detail }) => setSelected(detail.selectedItems)}
        loading={!pages.data && pages.loading}
        loadingText="Loading results"
        ariaLabels={{
          tableLabel: "Results",
          selectionGroupLabel: "Images to read again",
          allItemsSelectionLabel: () => "All images of this page that were not read",
          itemSelectionLabel: (_, { image }) => image,
        }}
        empty={
          <Box textAlign="center" padding="l">
            {emptyText(!!pages.data, Object.keys(filters).length > 0)}
          </Box>
        }
        columnDefinitions={[
          {
            id: "picture",
            header: "Picture",
            width: 100,
            cell: (detection) => (
              <Picture
                src={detection.picture}
                alt={detection.image}
                size="small"
                labels={boxed(detection.labels).slice(0, 10)}
              />
            ),
          },
          {
            id: "image",
            header: "Image",
            isRowHeader: true,
            cell: (detection) => (
              <Link href={link("detect", { ...query, image: detection.id })}>{detection.image}</Link>
            ),
          },
          { id: "state", header: "State", cell: ({ state }) => <StateBadge state={state} /> },
          { id: "labels", header: "Labels", cell: ({ labels }) => <Labels labels={labels} /> },
          { id: "at", header: "Uploaded", cell: ({ at }) => localTime(at) },
        ]}
      />
      {open && (
        <OnePicture
          id={open}
          close={() => go("detect", { ...query, image: undefined })}
          sentAgain={expect}
        />
      )}
    </SpaceBetween>
  );
}

function emptyText(isLoaded: boolean, isFiltered: boolean): string {
  if (!isLoaded) return "There are no results to show.";
  if (isFiltered) return "No image matches. Clear the filters to see all of them.";
  return "No image has been uploaded yet. Drop some above.";
}

function filterOf(query: Record<string, string>): DetectionFilter {
  const state = STATES.find((state) => state === query.state);
  return {
    state,
    label: query.label,
    min: query.min ? Number(query.min) : undefined,
    max: query.max ? Number(query.max) : undefined,
    ...(query.day && isDay(query.day) ? dayBounds(query.day) : {}),
  };
}
