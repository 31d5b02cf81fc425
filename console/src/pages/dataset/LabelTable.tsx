import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import Link from "@cloudscape-design/components/link";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import Table from "@cloudscape-design/components/table";
import { useState } from "react";
import type { LabelCount } from "../../api/types";
import { link } from "../../parts/route";
import { OneLabel } from "./OneLabel";

interface Props {
  labels: LabelCount[];
  loading: boolean;
  changed: () => void;
}

/** How many images each label has, and the way to its description and name. */
export function LabelTable({ labels, loading, changed }: Props) {
  const [open, setOpen] = useState("");
  return (
    <>
      <Table
        header={
          <Header
            variant="h2"
            description="Pictures to train on, and others that are only for testing. The same picture twice counts once."
          >
            Labels
          </Header>
        }
        items={labels}
        trackBy="label"
        loading={loading}
        loadingText="Loading labels"
        ariaLabels={{ tableLabel: "Labels" }}
        empty={<Box textAlign="center">There is no labelled image yet. Add some above.</Box>}
        wrapLines
        columnDefinitions={[
          {
            id: "label",
            header: "Label",
            isRowHeader: true,
            cell: ({ label }) => <Link href={link("dataset", { label })}>{label}</Link>,
          },
          { id: "train", header: "To train", cell: ({ train }) => train },
          { id: "test", header: "To test", cell: ({ test }) => test },
          {
            id: "underrepresented",
            header: "Enough?",
            cell: ({ underrepresented: reason }) => (
              <StatusIndicator type={reason ? "warning" : "success"}>{reason || "Yes"}</StatusIndicator>
            ),
          },
          {
            id: "change",
            header: "Description and name",
            cell: ({ label }) => (
              <Button
                variant="inline-link"
                ariaLabel={`Describe or rename ${label}`}
                onClick={() => setOpen(label)}
              >
                Change
              </Button>
            ),
          },
        ]}
      />
      {open && (
        <OneLabel label={open} labels={labels} changed={changed} close={() => setOpen("")} />
      )}
    </>
  );
}
