import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ColumnLayout from "@cloudscape-design/components/column-layout";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import { useState } from "react";
import { api } from "../../api/client";
import type { Conflict } from "../../api/types";
import { Failed } from "../../parts/Failed";
import { Pager } from "../../parts/Pager";
import { Picture } from "../../parts/Picture";
import { localTime } from "../../parts/time";
import { useLoad } from "../../parts/useLoad";
import { usePages } from "../../parts/usePages";
import { loadConfig } from "../../api/session";
import { useAction } from "../../parts/useAction";

const POLL_MS = 5000;
const PAGE = 5;

export function Conflicts() {
  const pages = usePages("conflicts", (cursor) => api.conflicts(cursor, PAGE), POLL_MS);
  const { act, busy, notice } = useAction();

  function decide(conflict: Conflict, label: string) {
    void act(async () => {
      await api.decide(conflict.id, label);
      pages.refresh();
      return { type: "success", text: `${conflict.image}: ${label}.` };
    });
  }

  return (
    <SpaceBetween size="l">
      <Header
        variant="h1"
        description="These images got different labels. What you decide is trained on."
        actions={<Pager pages={pages} />}
      >
        Conflicts
      </Header>
      {notice}
      {pages.error && <Failed error={pages.error} retry={pages.refresh} />}
      {!pages.data && !pages.error && <Spinner size="large" />}
      {pages.data && !pages.items.length && (
        <Container>
          <Box textAlign="center" padding="l">
            <Box variant="h2">No conflicts</Box>
            <Box variant="p">
              Images on which reviewers disagree appear here (with Reviewers-Per-Image at 2 or 3),
              and pictures that are labelled twice, each time differently.
            </Box>
          </Box>
        </Container>
      )}
      {pages.items.map((conflict) => (
        <One key={conflict.id} conflict={conflict} busy={busy} decide={decide} />
      ))}
    </SpaceBetween>
  );
}

interface OneProps {
  conflict: Conflict;
  busy: boolean;
  decide: (conflict: Conflict, label: string) => void;
}

function One({ conflict, busy, decide }: OneProps) {
  const { data: config } = useLoad("config", loadConfig);
  const [label, setLabel] = useState("");
  const options = [...conflict.labels, config?.none_of_the_above ?? ""].map((value) => ({ value }));
  return (
    <Container header={<Header variant="h2">{conflict.image}</Header>}>
      <SpaceBetween size="m">
        {conflict.copies.length ? (
          <Copies copies={conflict.copies} />
        ) : (
          <Picture src={conflict.picture} alt={conflict.image} size="large" />
        )}
        <ul>
          {conflict.answers.map(({ worker, label, at }) => (
            <li key={worker}>
              {worker} said <strong>{label}</strong>, {localTime(at)}
            </li>
          ))}
        </ul>
        <SpaceBetween direction="horizontal" size="s">
          <Select
            ariaLabel={`Label of ${conflict.image}`}
            placeholder="Choose the label"
            filteringType="auto"
            selectedOption={label ? { value: label } : null}
            options={options}
            onChange={({ detail }) => setLabel(detail.selectedOption.value ?? "")}
          />
          <Button
            variant="primary"
            disabled={busy || !label}
            onClick={() => decide(conflict, label)}
          >
            Decide
          </Button>
        </SpaceBetween>
      </SpaceBetween>
    </Container>
  );
}

/** The same picture under several labels. */
function Copies({ copies }: Pick<Conflict, "copies">) {
  return (
    <SpaceBetween size="s">
      <Box>
        The same picture is labelled differently, so it is not used. The label that you choose
        stays; the images under other labels are removed.
      </Box>
      <ColumnLayout columns={2}>
        {copies.map(({ image, label, picture }) => (
          <SpaceBetween key={image} size="xs">
            <Box>
              <strong>{label}</strong>, as {image}
            </Box>
            <Picture src={picture} alt={image} size="large" />
          </SpaceBetween>
        ))}
      </ColumnLayout>
    </SpaceBetween>
  );
}
