import Box from "@cloudscape-design/components/box";
import Header from "@cloudscape-design/components/header";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { useState } from "react";
import { api } from "../../api/client";
import type { EventFilter } from "../../api/types";
import { Failed } from "../../parts/Failed";
import { Pager } from "../../parts/Pager";
import { localTime } from "../../parts/time";
import { usePages } from "../../parts/usePages";
import { go, useRoute } from "../../parts/route";

const POLL_MS = 3000;

export function Activity() {
  const { type = "" } = useRoute().query;
  const [types, setTypes] = useState<string[]>([]);
  const pages = usePages(
    type,
    async (cursor) => {
      const page = await api.events({ type } as EventFilter, cursor);
      setTypes(page.types);
      return page;
    },
    POLL_MS,
  );
  const options = [
    { value: "", label: "Everything" },
    ...types.map((one) => ({ value: one, label: words(one) })),
  ];
  return (
    <SpaceBetween size="l">
      <Header
        variant="h1"
        description="What happened, to what, and why. New events appear by themselves."
      >
        Activity
      </Header>
      {pages.error && <Failed error={pages.error} retry={pages.refresh} />}
      <Table
        items={pages.items}
        trackBy="id"
        wrapLines
        loading={!pages.data && pages.loading}
        loadingText="Loading events"
        ariaLabels={{ tableLabel: "Events" }}
        pagination={<Pager pages={pages} />}
        filter={
          <Select
            ariaLabel="Kind of event"
            selectedOption={options.find(({ value }) => value === type) ?? null}
            options={options}
            onChange={({ detail }) => go("activity", { type: detail.selectedOption.value })}
          />
        }
        empty={<Box textAlign="center">Nothing of this kind has happened yet.</Box>}
        columnDefinitions={[
          { id: "at", header: "When", width: 190, cell: ({ at }) => localTime(at) },
          { id: "type", header: "What", width: 190, cell: ({ type: kind }) => words(kind) },
          { id: "text", header: "In words", isRowHeader: true, cell: ({ text }) => text },
        ]}
      />
    </SpaceBetween>
  );
}

/** "ImageSentToReview" as "Image sent to review". */
function words(type: string): string {
  const text = type.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
}
