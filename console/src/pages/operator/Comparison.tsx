import Box from "@cloudscape-design/components/box";
import Header from "@cloudscape-design/components/header";
import Table from "@cloudscape-design/components/table";
import type { LabelMetrics, VersionDetail } from "../../api";
import { differenceText, f1Text } from "./f1";

interface Row {
  label: string;
  left: number | null;
  right: number | null;
}

/** Two versions side by side, label by label; the older one stands left. */
export function Comparison({ left, right }: { left: VersionDetail; right: VersionDetail }) {
  return (
    <Table
      header={
        <Header
          variant="h2"
          description={
            "Each version's own F1, on the test images of its time. The decision compares both " +
            "on the same images; it stands in the version's details."
          }
        >
          {left.name} and {right.name}
        </Header>
      }
      ariaLabels={{ tableLabel: `F1 by label of ${left.name} and ${right.name}` }}
      items={[{ label: "All labels", left: left.f1, right: right.f1 }, ...byLabel(left, right)]}
      columnDefinitions={[
        {
          id: "label",
          header: "Label",
          isRowHeader: true,
          cell: (row) => row.label,
        },
        { id: "left", header: left.name, cell: (row) => f1Text(row.left) },
        { id: "right", header: right.name, cell: (row) => f1Text(row.right) },
        { id: "difference", header: "Difference", cell: (row) => <Difference {...row} /> },
      ]}
      wrapLines
    />
  );
}

function byLabel(left: VersionDetail, right: VersionDetail): Row[] {
  const labels = [...left.per_label, ...right.per_label].map((metrics) => metrics.label);
  return [...new Set(labels)].sort().map((label) => ({
    label,
    left: f1Of(left.per_label, label),
    right: f1Of(right.per_label, label),
  }));
}

function f1Of(metrics: LabelMetrics[], label: string): number | null {
  return metrics.find((one) => one.label === label)?.f1 ?? null;
}

function Difference({ left, right }: Row) {
  if (left === null || right === null) {
    return <Box color="text-status-inactive">only one of them knows it</Box>;
  }
  const difference = right - left;
  const color =
    difference > 0 ? "text-status-success" : difference < 0 ? "text-status-error" : "inherit";
  return <Box color={color}>{differenceText(difference)}</Box>;
}
