"""Waits until a stack is at rest, and does meanwhile what schedules and operators do."""

import time
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from loupe.domain.detection import DetectionState
from loupe.domain.review import ReviewState
from loupe.domain.versions import VersionStatus
from loupe.errors import LoupeError
from tests.faults.kills import Killer
from tests.stack.conftest import Stack, loupe

DEADLINE = 420.0
"""Answers that were cut off on their way are handed over again after five minutes."""
PAUSE = 2.0
LOOKS = 3
"""At rest is what is found at rest so many times one after the other: an event on its way from one
service to another is in no queue."""
REPLAY_EVERY = 20.0
ON_THE_WAY = ("STARTING", "STOPPING", "TRAINING_IN_PROGRESS", "DELETING")
COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


class Rest:
    """Brings one stack to rest."""

    def __init__(self, stack: Stack, killer: Killer) -> None:
        self.replayed = 0
        """Dead letters that an operator has brought back with `loupe replay`."""
        self._stack = stack
        self._killer = killer
        self._last_replay = 0.0

    def reach(self, seconds: float = DEADLINE) -> list[str]:
        """Wait for it; returns what is still at work at the deadline."""
        self._killer.break_rekognition(None)
        deadline, looks = time.monotonic() + seconds, 0
        at_work: list[str] = []
        while looks < LOOKS and time.monotonic() < deadline:
            self._killer.revive()
            try:
                self._repeat()
                at_work = list(self._at_work())
            except (BotoCoreError, ClientError, LoupeError) as error:
                at_work = [f"{type(error).__name__}: {error}"]
            looks = 0 if at_work else looks + 1
            time.sleep(PAUSE)
        return at_work

    def queues(self) -> dict[str, int]:
        """Messages by queue (logical id), dead letters among them."""
        found = self._stack.client("cloudformation").describe_stack_resources(
            StackName=self._stack.name
        )["StackResources"]
        sqs = self._stack.client("sqs")
        return {
            each["LogicalResourceId"]: sum(
                int(
                    sqs.get_queue_attributes(
                        QueueUrl=each["PhysicalResourceId"], AttributeNames=list(COUNTS)
                    )["Attributes"][name]
                )
                for name in COUNTS
            )
            for each in found
            if each["ResourceType"] == "AWS::SQS::Queue"
        }

    def running_executions(self) -> list[str]:
        """ARNs of the training runs, and of starts and stops of models, that run."""
        client = self._stack.client("stepfunctions")
        machines = client.list_state_machines()["stateMachines"]
        return [
            execution["executionArn"]
            for machine in machines
            if machine["type"] == "STANDARD"
            for execution in client.list_executions(
                stateMachineArn=machine["stateMachineArn"], statusFilter="RUNNING"
            )["executions"]
        ]

    def _repeat(self) -> None:
        """What happens every minute, at the next training check, and when an alarm is raised."""
        self._stack.client("lambda").invoke(
            FunctionName=self._stack.outputs["ManagePowerFunction"], Payload=b"{}"
        )
        if self._has_unfinished_attempt() and not self.running_executions():
            self._stack.start_training(again=True)
        dead = sum(n for queue, n in self.queues().items() if "DeadLetters" in queue)
        if dead and time.monotonic() - self._last_replay > REPLAY_EVERY:
            self._last_replay = time.monotonic()
            self.replayed += dead
            loupe(self._stack, "replay", "--yes")

    def _has_unfinished_attempt(self) -> bool:
        versions = self._stack.deps.versions
        last = versions.last_attempt()
        return bool(versions.lease_holder()) or (
            last is not None and last.status == VersionStatus.TRAINING
        )

    def _at_work(self) -> Iterator[str]:
        deps = self._stack.deps
        yield from (f"{n} messages in {queue}" for queue, n in self.queues().items() if n)
        yield from self.running_executions()
        if holder := deps.versions.lease_holder():
            yield f"the lease of {holder}"
        states: dict[str, Any] = self._stack.models()
        yield from (
            f"{name} is {status}" for name, status in states.items() if status in ON_THE_WAY
        )
        service = deps.versions.service().version
        yield from (
            f"{name} runs, and is not in service"
            for name, status in states.items()
            if status == "RUNNING" and name != service
        )
        yield from (
            f"review {review.id} closes" for review in deps.reviews.newest(ReviewState.CLOSING)
        )
        yield from (
            f"{image.image.key} waits" for image in deps.detections.newest(DetectionState.WAITING)
        )
