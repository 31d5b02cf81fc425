import Box from "@cloudscape-design/components/box";
import Header from "@cloudscape-design/components/header";
import Spinner from "@cloudscape-design/components/spinner";
import Table from "@cloudscape-design/components/table";
import { api } from "../../api/client";
import type { SideBySide } from "../../api/types";
import { Failed } from "../../parts/Failed";
import { useLoad } from "../../parts/useLoad";
import { LOUPES_F1, differenceText, f1Text } from "../../parts/f1";

interface Props {
  older: string;
  newer: string;
}

interface Row {
  label: string;
  left: number | null;
  right: number | null;
}

/** Two versions on the same test images, label by label; the older one stands left. */
export function Comparison({ older, newer }: Props) {
  const { data, error, refresh } = useLoad(`${newer} ${older}`, () => api.against(newer, older));
  if (error) return <Failed error={error} retry={refresh} />;
  if (!data) return <Spinner />;
  return (
    <Table
      header={
        <Header
          variant="h2"
          description={`${LOUPES_F1} on the same ${data.images} test images, over the labels that both know.`}
        >
          {older} and {newer}
        </Header>
      }
      ariaLabels={{ tableLabel: `${LOUPES_F1} by label of ${older} and ${newer}` }}
      items={data.images ? rows(data) : []}
      empty="They were never asked about the same images. Only versions that reach the minimum F1 are compared."
      columnDefinitions={[
        {
          id: "label",
          header: "Label",
          isRowHeader: true,
          cell: (row) => row.label,
        },
        { id: "left", header: older, cell: (row) => f1Text(row.left) },
        { id: "right", header: newer, cell: (row) => f1Text(row.right) },
        { id: "difference", header: "Difference", cell: (row) => <Difference {...row} /> },
      ]}
      wrapLines
    />
  );
}

function rows({ f1: [left, right], label_f1 }: SideBySide): Row[] {
  const labels = Object.entries(label_f1).map(([label, [left, right]]) => ({ label, left, right }));
  return [{ label: "All labels", left, right }, ...labels];
}

function Difference({ left, right }: Row) {
  if (left === null || right === null) {
    return <Box color="text-status-inactive">no image has it</Box>;
  }
  const difference = right - left;
  const color =
    difference > 0 ? "text-status-success" : difference < 0 ? "text-status-error" : "inherit";
  return <Box color={color}>{differenceText(difference)}</Box>;
}
