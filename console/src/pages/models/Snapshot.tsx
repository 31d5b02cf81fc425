import Header from "@cloudscape-design/components/header";
import Table from "@cloudscape-design/components/table";
import type { LabelCount } from "../../api/types";

/** The labelled images that a version was trained and tested on. */
export function Snapshot({ counts }: { counts: LabelCount[] }) {
  return (
    <Table
      header={<Header variant="h2">Images it was made from</Header>}
      ariaLabels={{ tableLabel: "Images it was made from, by label" }}
      items={counts}
      trackBy="label"
      columnDefinitions={[
        { id: "label", header: "Label", isRowHeader: true, cell: (one) => one.label },
        { id: "train", header: "To train", cell: (one) => one.train },
        { id: "test", header: "To test", cell: (one) => one.test },
      ]}
      empty="It was given no images yet."
      wrapLines
    />
  );
}
