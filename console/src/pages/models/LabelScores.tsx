import Header from "@cloudscape-design/components/header";
import Table from "@cloudscape-design/components/table";
import type { LabelMetrics } from "../../api/types";
import { REKOGNITIONS_F1, f1Text, percentText } from "../../parts/f1";

export function LabelScores({ scores }: { scores: LabelMetrics[] }) {
  return (
    <Table
      header={
        <Header
          variant="h2"
          description={
            "As Rekognition measured it. Precision: of the images it gave this label, how many really have " +
            "it. Recall: of the images that really have it, how many it found. F1 sums " +
            "up both, from 0 to 1."
          }
        >
          Score of each label
        </Header>
      }
      ariaLabels={{ tableLabel: "Score of each label" }}
      items={scores}
      trackBy="label"
      columnDefinitions={[
        { id: "label", header: "Label", isRowHeader: true, cell: (one) => one.label },
        {
          id: "precision",
          header: "Precision (right when said)",
          cell: (one) => percentText(one.precision),
        },
        { id: "recall", header: "Recall (found)", cell: (one) => percentText(one.recall) },
        { id: "f1", header: REKOGNITIONS_F1, cell: (one) => f1Text(one.f1) },
      ]}
      empty="It has no scores: it was not tested yet, or its training failed."
      wrapLines
    />
  );
}
