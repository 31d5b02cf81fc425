import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import type { ReactNode } from "react";
import { Failed } from "../../parts/Failed";
import { useLoad } from "../../parts/useLoad";
import { loadConfig } from "../../api/session";
import { AboutLabels } from "./AboutLabels";
import { OneTask } from "./OneTask";
import type { Desk, View } from "./desk";
import "./review.css";
import { useDesk } from "./useDesk";
import { useKeys } from "./useKeys";

export function Review() {
  const { data: config } = useLoad("config", loadConfig);
  const none = config?.none_of_the_above ?? "";
  const [view, desk] = useDesk();
  useKeys(view.current, none, desk);
  const { current, mine } = view;
  return (
    <SpaceBetween size="m">
      <Header
        variant="h1"
        description="What does the image show? Press the key beside the label."
        counter={current && `(${view.toDo} to do)`}
        actions={
          <Box variant="small">{`Answered by you: ${mine.today} today, ${mine.total} in all`}</Box>
        }
      >
        Review
      </Header>
      {view.error && <Failed error={view.error} retry={desk.open} />}
      {view.lost && (
        <Alert
          type="error"
          header="An answer did not arrive"
          dismissible
          i18nStrings={{ dismissAriaLabel: "Close" }}
          onDismiss={desk.forgetLost}
        >
          {view.lost}
        </Alert>
      )}
      <LastAnswer view={view} desk={desk} />
      {current ? (
        <>
          <OneTask task={current} none={none} answer={desk.answer} skip={desk.skip} />
          <AboutLabels labels={current.labels} />
        </>
      ) : (
        <NoTask view={view} resume={desk.open} elsewhere={config?.asked_by_a2i ?? false} />
      )}
    </SpaceBetween>
  );
}

interface Idle {
  view: View;
  resume: () => void;
  elsewhere: boolean;
}

function NoTask({ view, resume, elsewhere }: Idle) {
  if (view.away) {
    return (
      <Message title="You were away">
        <Box variant="p">The images that you had open have gone back to all reviewers.</Box>
        <Button variant="primary" onClick={resume}>
          Go on
        </Button>
      </Message>
    );
  }
  if (view.looking) {
    return (
      <Message title="Looking for images…">
        <Spinner size="large" />
      </Message>
    );
  }
  return (
    <Message title="Nothing to review">
      <Box variant="p">
        {elsewhere
          ? "Amazon A2I asks people: its work team answers in the labeling portal."
          : "No image needs you at the moment. New ones appear here by themselves."}
      </Box>
    </Message>
  );
}

function Message({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Container>
      <Box textAlign="center" padding="xxl">
        <SpaceBetween size="s">
          <Box variant="h2">{title}</Box>
          {children}
        </SpaceBetween>
      </Box>
    </Container>
  );
}

function LastAnswer({ view: { last }, desk }: { view: View; desk: Desk }) {
  return (
    <div className="last-answer">
      <div role="status">
        <Box>{last && `${last.task.image}: ${last.label}`}</Box>
      </div>
      {last?.held && (
        <Button iconName="undo" onClick={desk.undo}>
          Undo (U)
        </Button>
      )}
    </div>
  );
}
