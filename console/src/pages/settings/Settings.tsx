import Box from "@cloudscape-design/components/box";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { useState } from "react";
import { api } from "../../api/client";
import type { Setting } from "../../api/types";
import { Failed } from "../../parts/Failed";
import { localTime } from "../../parts/time";
import { useLoad } from "../../parts/useLoad";
import { SettingValue } from "./SettingValue";

const POLL_MS = 5000;

export function Settings() {
  const { data, error, refresh } = useLoad("settings", api.settings, POLL_MS);
  // What was just saved counts until the next look.
  const [saved, setSaved] = useState<Record<string, Setting>>({});
  const items = (data?.items ?? []).map((one) => newer(one, saved[one.name]));
  return (
    <SpaceBetween size="l">
      <Header variant="h1" description="A change takes effect by itself, without a deployment.">
        Settings
      </Header>
      {error && <Failed error={error} retry={refresh} />}
      <Table
        items={items}
        trackBy="name"
        wrapLines
        loading={!data && !error}
        loadingText="Loading settings"
        ariaLabels={{ tableLabel: "Settings" }}
        columnDefinitions={[
          {
            id: "name",
            header: "Setting",
            isRowHeader: true,
            minWidth: 240,
            cell: ({ name, meaning, allowed }) => (
              <>
                <Box fontWeight="bold">{name}</Box>
                <Box>{meaning}</Box>
                <Box variant="small">It takes {allowed}.</Box>
              </>
            ),
          },
          {
            id: "value",
            header: "Value",
            minWidth: 200,
            cell: (setting) => (
              <SettingValue
                setting={setting}
                onSaved={(one) => {
                  setSaved((before) => ({ ...before, [one.name]: one }));
                  refresh();
                }}
              />
            ),
          },
          { id: "default", header: "At first", minWidth: 90, cell: (setting) => setting.default },
          {
            id: "changed",
            header: "Last changed",
            minWidth: 150,
            cell: ({ changed_at, changed_by }) =>
              changed_at ? `${localTime(changed_at)} by ${changed_by}` : "Never",
          },
        ]}
      />
    </SpaceBetween>
  );
}

function newer(loaded: Setting, saved: Setting | undefined): Setting {
  return (saved?.changed_at ?? "") > (loaded.changed_at ?? "") && saved ? saved : loaded;
}
