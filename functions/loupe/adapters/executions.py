"""Step Functions: executions of the state machines."""

import json
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from loupe.domain.failures import Failure
from loupe.errors import AlreadyDone, LoupeError, TryAgain
from loupe.faults import is_passing_name

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


class ExecutionFailed(LoupeError):
    """An execution took too long, or ended with an error that it does not know; the message
    carries it.
    """


POLL_SECONDS = 2
ENDED = ("StateMachineDoesNotExist", "ExecutionDoesNotExist", "ValidationException")
"""What StopExecution answers of an execution that has ended meanwhile."""


class Executions:
    """`client` is `boto3.client("stepfunctions")`, `patient` one that waits for minutes."""

    def __init__(self, client: "SFNClient", patient: "SFNClient | None" = None) -> None:
        self._client = client
        self._patient = patient or client

    def run(self, machine_arn: str, name: str, payload: Mapping[str, Any]) -> None:
        """Run an Express machine to its end.

        Raises TryAgain for a fault that passes, such as throttling, and ExecutionFailed for any
        other end: what takes too long may always do so.
        """
        result = self._patient.start_sync_execution(
            stateMachineArn=machine_arn, name=name, input=json.dumps(payload)
        )
        if result["status"] == "SUCCEEDED":
            return
        failure = Failure(result.get("error") or result["status"], result.get("cause", ""))
        passing = result["status"] == "FAILED" and is_passing_name(failure.error)
        raise (TryAgain if passing else ExecutionFailed)(failure.words)

    def start(self, machine_arn: str, payload: Mapping[str, Any]) -> str:
        """Start a Standard machine and return the execution's ARN."""
        started = self._client.start_execution(
            stateMachineArn=machine_arn, input=json.dumps(payload)
        )
        return str(started["executionArn"])

    def is_running(self, execution_arn: str) -> bool:
        """Whether an execution goes on. One that the service forgot does not."""
        try:
            described = self._client.describe_execution(executionArn=execution_arn)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ExecutionDoesNotExist":
                return False
            raise
        return bool(described["status"] == "RUNNING")

    def answer(self, token: str, output: Mapping[str, Any]) -> None:
        """Let a state that waits for `token` go on; raises AlreadyDone when none waits."""
        try:
            self._client.send_task_success(taskToken=token, output=json.dumps(output))
        except ClientError as error:
            if error.response["Error"]["Code"] in (
                "TaskTimedOut",
                "TaskDoesNotExist",
                "InvalidToken",
            ):
                raise AlreadyDone("Nothing waits for this answer any more.") from error
            raise

    def delete_machine(self, machine_arn: str, is_late: Callable[[], bool]) -> None:
        """Delete a Standard machine with all that it runs; raises TimeoutError when `is_late()`.

        A machine that is being deleted starts nothing any more. So it is told to go first, and
        what it runs is stopped until it is gone: the list of executions may lag behind.
        """
        self._client.delete_state_machine(stateMachineArn=machine_arn)
        while self._has_machine(machine_arn):
            if is_late():
                raise TimeoutError("training runs are still being stopped; try again")
            self._stop_running(machine_arn)
            time.sleep(POLL_SECONDS)

    def _has_machine(self, machine_arn: str) -> bool:
        try:
            self._client.describe_state_machine(stateMachineArn=machine_arn)
        except ClientError as error:
            if error.response["Error"]["Code"] == "StateMachineDoesNotExist":
                return False
            raise
        return True

    def _stop_running(self, machine_arn: str) -> None:
        pages = self._client.get_paginator("list_executions")
        try:
            for page in pages.paginate(stateMachineArn=machine_arn, statusFilter="RUNNING"):
                for execution in page["executions"]:
                    self._client.stop_execution(
                        executionArn=execution["executionArn"], cause="Loupe is taken down"
                    )
        except ClientError as error:
            if error.response["Error"]["Code"] not in ENDED:
                raise
