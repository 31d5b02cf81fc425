"""Step Functions: executions of the state machines."""

import json
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from loupe.domain.failures import Failure
from loupe.errors import AlreadyDone, LoupeError, TryAgain
from loupe.faults import code_of, ignoring, is_passing_name

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


class ExecutionFailed(LoupeError):
    """An execution took too long, or ended with an unexpected error, which the message carries."""


POLL_SECONDS = 2
MISSING = ("StateMachineDoesNotExist", "ExecutionDoesNotExist")
NOBODY_WAITS = ("TaskTimedOut", "TaskDoesNotExist", "InvalidToken")


class Executions:
    """`client` is `boto3.client("stepfunctions")`, `patient` one that waits minutes for a reply."""

    def __init__(self, client: "SFNClient", patient: "SFNClient | None" = None) -> None:
        self._client = client
        self._patient = patient or client

    def run(self, machine_arn: str, name: str, payload: Mapping[str, Any]) -> None:
        """Run an Express machine to its end.

        Raises TryAgain for a passing fault, such as throttling, and ExecutionFailed for any other
        end: an execution that takes too long may always do so.
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
        execution = self._client.start_execution(
            stateMachineArn=machine_arn, input=json.dumps(payload)
        )
        return execution["executionArn"]

    def is_running(self, execution_arn: str) -> bool:
        """Whether an execution is running; one that the service has forgotten is not."""
        with ignoring(*MISSING):
            execution = self._client.describe_execution(executionArn=execution_arn)
            return execution["status"] == "RUNNING"
        return False

    def answer(self, token: str, output: Mapping[str, Any]) -> None:
        """Let the state that waits for `token` continue; raises AlreadyDone when none waits."""
        try:
            self._client.send_task_success(taskToken=token, output=json.dumps(output))
        except ClientError as error:
            if code_of(error) in NOBODY_WAITS:
                raise AlreadyDone("Nothing waits for this answer any more.") from error
            raise

    def delete_machine(self, machine_arn: str, is_late: Callable[[], bool]) -> None:
        """Delete a Standard machine with all that it runs; raises TimeoutError when `is_late()`.

        A machine that is being deleted starts nothing. So its deletion begins first, and then what
        it runs is stopped until the machine is deleted: the list of executions may lag behind.
        """
        self._client.delete_state_machine(stateMachineArn=machine_arn)
        while self._has_machine(machine_arn):
            if is_late():
                raise TimeoutError("training runs are still being stopped; try again")
            self._stop_running(machine_arn)
            time.sleep(POLL_SECONDS)

    def _has_machine(self, machine_arn: str) -> bool:
        with ignoring(*MISSING):
            self._client.describe_state_machine(stateMachineArn=machine_arn)
            return True
        return False

    def _stop_running(self, machine_arn: str) -> None:
        pages = self._client.get_paginator("list_executions")
        # StopExecution refuses an execution that has ended meanwhile as not valid.
        with ignoring(*MISSING, "ValidationException"):
            for page in pages.paginate(stateMachineArn=machine_arn, statusFilter="RUNNING"):
                for execution in page["executions"]:
                    self._client.stop_execution(
                        executionArn=execution["executionArn"], cause="Loupe is taken down"
                    )
