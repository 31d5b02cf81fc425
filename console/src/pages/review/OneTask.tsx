import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { type MouseEvent, useState } from "react";
import type { Task } from "../../api/types";
import { Picture } from "../../parts/Picture";

const KEYS = 9;

interface Props {
  task: Task;
  none: string;
  answer: (label: string) => void;
  skip: () => void;
}

/** One image with the labels to choose from. It is kept from task to task, and so is the focus. */
export function OneTask({ task, none, answer, skip }: Props) {
  return (
    <Container header={<Header variant="h2">{task.image}</Header>}>
      <div className="task" onClickCapture={onceOnly}>
        <Picture
          key={task.id}
          src={task.picture}
          alt={task.image}
          size="large"
          labels={task.guess}
        />
        <SpaceBetween size="s">
          <Labels task={task} answer={answer} />
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

function Labels({ task, answer }: Pick<Props, "task" | "answer">) {
  const [search, setSearch] = useState({ task: task.id, text: "" });
  const text = search.task === task.id ? search.text : "";
  const guess = task.guess[0]?.name;
  const labels = task.labels
    .map((label, number) => ({ label, number }))
    .filter(({ label }) => label.toLowerCase().includes(text.toLowerCase()));
  const [only] = labels.length === 1 ? labels : [];
  return (
    <>
      {task.labels.length > KEYS && (
        <Input
          type="search"
          ariaLabel="Find a label"
          placeholder="Find a label"
          clearAriaLabel="Clear"
          value={text}
          onChange={({ detail }) => setSearch({ task: task.id, text: detail.value })}
          onKeyDown={({ detail }) => detail.key === "Enter" && only && answer(only.label)}
        />
      )}
      {only && text && <Box variant="small">{`Enter answers “${only.label}”.`}</Box>}
      {!labels.length && <Box>No label is called that.</Box>}
      <div className="labels">
        {labels.map(({ label, number }) => {
          const text = number < KEYS ? `${number + 1}  ${label}` : label;
          return (
            <Button
              key={label}
              fullWidth
              variant={label === guess ? "primary" : "normal"}
              ariaLabel={label === guess ? `${text}, the model's guess` : undefined}
              onClick={() => answer(label)}
            >
              {text}
            </Button>
          );
        })}
      </div>
    </>
  );
}

/** The second click of a double click would answer the next image. */
function onceOnly(event: MouseEvent) {
  if (event.detail > 1) event.stopPropagation();
}
