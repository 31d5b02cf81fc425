import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { CSSProperties } from "react";
import type { Confusion as Counts } from "../../api/types";

const CELL: CSSProperties = { padding: "6px 12px", textAlign: "center" };
const ROW_HEAD: CSSProperties = { ...CELL, textAlign: "end", fontWeight: "bold" };
const SHOWN_MISTAKES = 5;

/** What the version said of the images of each label that it was tested with. */
export function Confusion({ confusion }: { confusion: Counts | null }) {
  const header = (
    <Header
      variant="h2"
      description="Each row is what the images really show, each column what the version said."
    >
      Which labels it mixes up
    </Header>
  );
  if (!confusion) {
    return (
      <Container header={header}>
        <Box color="text-status-inactive">
          This version was never asked about the test images, so nothing is known.
        </Box>
      </Container>
    );
  }
  return (
    <Container header={header}>
      <SpaceBetween size="m">
        <Mistakes confusion={confusion} />
        <Grid confusion={confusion} />
      </SpaceBetween>
    </Container>
  );
}

function Mistakes({ confusion: { labels, counts } }: { confusion: Counts }) {
  const mistakes = counts
    .flatMap((row, truth) =>
      row.map((count, said) => ({
        count,
        truth: labels[truth],
        said: labels[said],
        right: truth === said,
      })),
    )
    .filter(({ count, right }) => count > 0 && !right)
    .sort((a, b) => b.count - a.count);
  if (!mistakes.length) return <Box>It was right on every test image.</Box>;
  return (
    <ul>
      {mistakes.slice(0, SHOWN_MISTAKES).map(({ count, truth, said }) => (
        <li key={`${truth}/${said}`}>
          {count} × {truth} was {said === undefined ? "given no label" : `taken for ${said}`}
        </li>
      ))}
    </ul>
  );
}

function Grid({ confusion: { labels, counts } }: { confusion: Counts }) {
  return (
    // Many labels make it wide: it scrolls by itself, with the keyboard too.
    <div
      role="region"
      aria-label="Table of test images by label and answer"
      tabIndex={0}
      style={{ overflow: "auto" }}
    >
      <table style={{ borderSpacing: 2 }}>
        <thead>
          <tr>
            <th scope="col" style={ROW_HEAD}>Really ↓ Said →</th>
            {[...labels, "no label"].map((label) => (
              <th key={label} scope="col" style={CELL}>{label}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {counts.map((row, truth) => (
            <tr key={labels[truth]}>
              <th scope="row" style={ROW_HEAD}>{labels[truth]}</th>
              {row.map((count, said) => (
                <td key={said} style={{ ...CELL, ...shade(count, row, truth === said) }}>{count}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The more of a row, the darker; thin enough for the number to be read in light and dark. */
function shade(count: number, row: number[], right: boolean): CSSProperties {
  const share = count / Math.max(1, row.reduce((sum, one) => sum + one, 0));
  return { backgroundColor: `rgba(${right ? "0, 128, 96" : "224, 64, 32"}, ${0.4 * share})` };
}
