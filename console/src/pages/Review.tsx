import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import { useEffect, useState } from "react";
import type { Task } from "../api";
import { Picture } from "../parts/Picture";
import { useLoad } from "../parts/useLoad";
import { loadConfig } from "../session";
import { useTasks } from "./review/useTasks";
import "./review/review.css";

const KEYS = 9;

export function Review() {
  const { data: config } = useLoad("config", loadConfig);
  const none = config?.none_of_the_above ?? "";
  const tasks = useTasks();
  const { current, answer, skip, undo, last } = tasks;

  useEffect(() => {
    function press(event: KeyboardEvent) {
      const typing = (event.target as HTMLElement).closest("input, textarea, select");
      if (typing || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
      const key = event.key.toLowerCase();
      if (key === "u") undo();
      if (!current) return;
      if (key === "s") skip();
      if (key === "0") answer(none);
      const label = /^[1-9]$/.test(key) ? current.labels[Number(key) - 1] : undefined;
      if (label) answer(label);
    }
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, [current, answer, skip, undo, none]);

  return (
    <SpaceBetween size="m">
      <Header
        variant="h1"
        description="What does the image show? Press the key beside the label."
        counter={`(${tasks.waiting + (current ? 1 : 0)} to do)`}
        info={
          <Box variant="small">
            {`Answered by you: ${tasks.mine.today} today, ${tasks.mine.total} in all`}
          </Box>
        }
      >
        Review
      </Header>
      {tasks.error && (
        <Alert
          type="error"
          header="An answer did not arrive"
          dismissible
          dismissAriaLabel="Close"
          onDismiss={tasks.clearError}
        >
          {tasks.error}
        </Alert>
      )}
      {current ? (
        <OneTask key={current.id} task={current} none={none} answer={answer} skip={skip} />
      ) : (
        <Container>
          <Box textAlign="center" padding="xxl">
            {tasks.loading ? (
              <>
                <Spinner /> Looking for images…
              </>
            ) : (
              <>
                <Box variant="h2">Nothing to review</Box>
                <Box variant="p">
                  The model is sure of all images so far. New ones appear here by themselves.
                </Box>
              </>
            )}
          </Box>
        </Container>
      )}
      <div className="last-answer" role="status">
        {last && (
          <SpaceBetween direction="horizontal" size="s" alignItems="center">
            <Box>{`${last.task.image}: ${last.label}`}</Box>
            {last.held && (
              <Button iconName="undo" onClick={undo}>
                Undo (U)
              </Button>
            )}
          </SpaceBetween>
        )}
      </div>
    </SpaceBetween>
  );
}

interface OneTaskProps {
  task: Task;
  none: string;
  answer: (label: string) => void;
  skip: () => void;
}

function OneTask({ task, none, answer, skip }: OneTaskProps) {
  const [filter, setFilter] = useState("");
  const guess = task.guess[0]?.name;
  const labels = task.labels
    .map((label, number) => ({ label, number }))
    .filter(({ label }) => label.toLowerCase().includes(filter.toLowerCase()));
  return (
    <Container header={<Header variant="h2">{task.image}</Header>}>
      <div className="task">
        <Picture src={task.picture} alt={task.image} size="large" labels={task.guess} />
        <SpaceBetween size="s">
          {task.labels.length > KEYS && (
            <Input
              type="search"
              ariaLabel="Find a label"
              placeholder="Find a label"
              value={filter}
              onChange={({ detail }) => setFilter(detail.value)}
            />
          )}
          <div className="labels">
            {labels.map(({ label, number }) => (
              <Button
                key={label}
                fullWidth
                variant={label === guess ? "primary" : "normal"}
                ariaLabel={label === guess ? `${label}, the model's guess` : label}
                onClick={() => answer(label)}
              >
                {number < KEYS ? `${number + 1}  ${label}` : label}
              </Button>
            ))}
          </div>
          <Button fullWidth onClick={() => answer(none)}>{`0  ${none}`}</Button>
          <Button fullWidth variant="link" onClick={skip}>
            S&nbsp; Skip: somebody else may know
          </Button>
          <Box variant="small">{`Why you are asked: ${task.reason}.`}</Box>
        </SpaceBetween>
      </div>
    </Container>
  );
}
