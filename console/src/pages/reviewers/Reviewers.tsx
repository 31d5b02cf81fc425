import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import Table from "@cloudscape-design/components/table";
import { api } from "../../api/client";
import type { Reviewer } from "../../api/types";
import { Failed } from "../../parts/Failed";
import { localTime } from "../../parts/time";
import { useLoad } from "../../parts/useLoad";

/** How much, how fast and how well people answer. */
export function Reviewers() {
  const { data, error, refresh } = useLoad("reviewers", api.reviewers);
  const below = data?.reviewers.filter((one) => one.below) ?? [];
  return (
    <SpaceBetween size="l">
      <Header
        variant="h1"
        description={
          data
            ? `From the newest ${data.reviews} reviews.${agreement(data.agreement)}`
            : "How much, how fast and how well people answer."
        }
      >
        Reviewers
      </Header>
      {error && <Failed error={error} retry={refresh} />}
      {data && below.length > 0 && (
        <Alert type="warning" header="Answers are often wrong">
          {below.map(({ name }) => name).join(", ")}: right less often than {share(data.minimum)}.
          These answers count less. Look at the labels together, and describe them on the page
          Dataset.
        </Alert>
      )}
      <Table
        items={data?.reviewers ?? []}
        trackBy="name"
        wrapLines
        loading={!data && !error}
        loadingText="Loading reviewers"
        ariaLabels={{ tableLabel: "Reviewers" }}
        empty={<Box textAlign="center">Nobody has answered a review yet.</Box>}
        columnDefinitions={[
          { id: "name", header: "Reviewer", isRowHeader: true, cell: ({ name }) => name },
          { id: "answers", header: "Answers", cell: ({ answers }) => answers },
          { id: "seconds", header: "Seconds an answer", cell: ({ seconds }) => rounded(seconds) },
          { id: "agreement", header: "Agreement with others", cell: agreed },
          { id: "gold", header: "Gold tasks right", cell: gold },
          { id: "reliability", header: "Reliability", cell: reliability },
          { id: "labels", header: "By label", minWidth: 220, cell: byLabel },
          { id: "last", header: "Last answer", width: 190, cell: ({ last }) => localTime(last) },
        ]}
      />
    </SpaceBetween>
  );
}

function agreement(alpha: number | null): string {
  return alpha === null ? "" : ` Agreement of all: ${alpha.toFixed(2)} (Krippendorff's alpha).`;
}

function agreed({ agreement: kappa, shared }: Reviewer): string {
  return kappa === null ? "–" : `${kappa.toFixed(2)} (kappa, ${shared} answers)`;
}

function gold(reviewer: Reviewer): string {
  return reviewer.gold === 0 ? "–" : `${reviewer.gold_right} of ${reviewer.gold}`;
}

function reliability({ reliability: rate, below, labels }: Reviewer) {
  if (labels.length === 0) return "not known yet";
  return <StatusIndicator type={below ? "warning" : "success"}>{share(rate)}</StatusIndicator>;
}

function byLabel({ labels }: Reviewer) {
  if (labels.length === 0) return "–";
  return (
    <ExpandableSection headerText={`${labels.length} labels`}>
      {labels.map(({ label, right, answered }) => (
        <div key={label}>
          {label}: {right} of {answered} right
        </div>
      ))}
    </ExpandableSection>
  );
}

function rounded(seconds: number | null): string {
  return seconds === null ? "–" : seconds.toFixed(0);
}

function share(rate: number): string {
  return `${Math.round(100 * rate)} %`;
}
