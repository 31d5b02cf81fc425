import Box from "@cloudscape-design/components/box";
import ColumnLayout from "@cloudscape-design/components/column-layout";
import Container from "@cloudscape-design/components/container";
import Grid from "@cloudscape-design/components/grid";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import Link from "@cloudscape-design/components/link";
import Popover from "@cloudscape-design/components/popover";
import ProgressBar from "@cloudscape-design/components/progress-bar";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { api } from "../../api/client";
import type { Overview as Shown } from "../../api/types";
import { Failed } from "../../parts/Failed";
import { NextCheck } from "../../parts/NextCheck";
import { fromNow, localTime } from "../../parts/time";
import { useLoad } from "../../parts/useLoad";
import { link } from "../../parts/route";
import { Bars } from "./Bars";
import { type Counts, NOTHING, byDay, dayOf, shareAgreed, shareForPeople } from "./days";
import { F1_MEANING, LOUPES_F1, REKOGNITIONS_F1, f1Text, percentText } from "../../parts/f1";

const POLL_MS = 5000;

export function Overview() {
  const { data, error, refresh } = useLoad("overview", api.overview, POLL_MS);
  const { data: me } = useLoad("me", api.me);
  const isOperator = !!me?.roles.includes("operator");
  return (
    <SpaceBetween size="l">
      <Header variant="h1" description="How it goes, at a glance.">
        Overview
      </Header>
      {error && <Failed error={error} retry={refresh} />}
      {!data && !error && <Spinner size="large" />}
      {data && (
        <SpaceBetween size="l">
          <Grid
            gridDefinition={[
              { colspan: { default: 12, s: 6 } },
              { colspan: { default: 12, s: 6 } },
            ]}
          >
            <Service overview={data} />
            <Doing overview={data} isOperator={isOperator} />
          </Grid>
          <Today overview={data} />
          <Charts overview={data} />
        </SpaceBetween>
      )}
    </SpaceBetween>
  );
}

function Service({ overview: { service, cost } }: { overview: Shown }) {
  const header = <Header variant="h2">Model in service</Header>;
  if (!service) {
    return (
      <Container fitHeight header={header}>
        <Box>
          No model is in service yet. The first one takes two labels with two images each, and must
          reach Minimum-F1-Score. What it waits for stands beside.
        </Box>
      </Container>
    );
  }
  const runs = service.model_status === "RUNNING";
  return (
    <Container fitHeight header={header}>
      <KeyValuePairs
        columns={2}
        items={[
          { label: "Version", value: service.version },
          {
            label: REKOGNITIONS_F1,
            value: (
              <Popover content={F1_MEANING} triggerType="text" dismissAriaLabel="Close">
                {f1Text(service.f1)}
              </Popover>
            ),
          },
          {
            label: "In service since",
            value: `${localTime(service.since)} (${fromNow(service.since)})`,
          },
          {
            label: "It now",
            value: service.cannot_start ? (
              <StatusIndicator type="error">
                cannot be started: {service.cannot_start}
              </StatusIndicator>
            ) : (
              <StatusIndicator type={runs ? "success" : "stopped"}>
                {runs ? "runs" : service.model_status.toLowerCase().replaceAll("_", " ")}
              </StatusIndicator>
            ),
          },
          ...(service.settled
            ? [{ label: "It settled", value: `${service.settled} queued reviews, without a person` }]
            : []),
          { label: cost.billed ? "Cost" : "Nothing is billed; cost in AWS", value: costText(cost) },
        ]}
      />
    </Container>
  );
}

function costText({ hourly, today, month }: Shown["cost"]): string {
  const dollars = (amount: number) => `$${amount.toFixed(2)}`;
  return `${dollars(today)} today, ${dollars(month)} this month (UTC), ${dollars(hourly)} an hour now`;
}

function Doing({ overview, isOperator }: { overview: Shown; isOperator: boolean }) {
  const { doing, new_labelled_images: fresh, needed_to_train: needed, next_check } = overview;
  const waits = doing.waits_for_approval;
  return (
    <Container fitHeight header={<Header variant="h2">What improves it</Header>}>
      <SpaceBetween size="m">
        <KeyValuePairs
          columns={2}
          items={[
            {
              label: "Now",
              value: (
                <>
                  {doing.text}
                  {doing.since && `, since ${localTime(doing.since)}`}.{" "}
                  {waits && isOperator && (
                    <Link href={link("models", { version: waits })}>Decide</Link>
                  )}
                </>
              ),
            },
            {
              label: "Next check",
              value: next_check
                ? `about ${localTime(next_check)} (${fromNow(next_check)})`
                : "Automatic training is switched off",
            },
          ]}
        />
        <ProgressBar
          label="New labelled images since the last training"
          value={Math.min(100, (100 * fresh) / Math.max(1, needed))}
          additionalInfo={`${fresh} of the ${needed} that a training asks for`}
        />
        <NextCheck training={overview.training} />
        {overview.conflicts > 0 && isOperator && (
          <StatusIndicator type="warning">
            <Link href={link("conflicts")}>Conflicts to decide: {overview.conflicts}</Link>
          </StatusIndicator>
        )}
      </SpaceBetween>
    </Container>
  );
}

function Today({ overview }: { overview: Shown }) {
  const today: Counts = byDay(overview.hours).get(dayOf(new Date())) ?? NOTHING;
  const numbers: [string, number][] = [
    ["Accepted", today.accepted],
    ["Sent to a reviewer", today.review],
    ["Answered by people", today.answered],
    ["Unsure", today.unsure],
    ["Failed or no image", today.failed + today.rejected],
    ["Waiting now", overview.waiting],
    ["Reviews open now", overview.open_reviews],
    ["Reviews queued now", overview.queued_reviews],
  ];
  return (
    <Container header={<Header variant="h2">Images today</Header>}>
      <ColumnLayout columns={4} variant="text-grid" minColumnWidth={140}>
        {numbers.map(([label, number]) => (
          <div key={label}>
            <Box variant="awsui-key-label">{label}</Box>
            <Box variant="awsui-value-large">{number}</Box>
          </div>
        ))}
      </ColumnLayout>
    </Container>
  );
}

const day = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });

function Charts({ overview }: { overview: Shown }) {
  const days = [...byDay(overview.hours)].sort(([a], [b]) => a - b);
  const bars = (share: (counts: Counts) => number | null) =>
    days.flatMap(([at, counts]) => {
      const y = share(counts);
      return y === null ? [] : [{ x: day.format(at), y }];
    });
  return (
    <ColumnLayout columns={3} minColumnWidth={280}>
      <Bars
        title="Last comparison"
        about={`${LOUPES_F1} of the versions on the same ${overview.compared.images} test images.`}
        across="Version"
        bars={overview.compared.scores.map(({ name, f1 }) => ({ x: name, y: f1 }))}
        format={f1Text}
        empty="The first version that reaches the minimum F1 will appear here."
      />
      <Bars
        title="Needed a person"
        about="Share of the images read that went to people."
        across="Day"
        bars={bars(shareForPeople)}
        format={percentText}
        empty="Nothing has been read yet."
      />
      <Bars
        title="People agree with the model"
        about="Share of the quality samples."
        across="Day"
        bars={bars(shareAgreed)}
        format={percentText}
        empty="No quality sample has been answered yet."
      />
    </ColumnLayout>
  );
}
