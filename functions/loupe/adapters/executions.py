"""Step Functions: executions of the state machines."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from loupe.errors import LoupeError, NotFound, TryAgain

BUSY = {"Lambda.TooManyRequestsException", "States.Timeout"}
"""Errors of an execution that had no chance: the account's functions were all at work."""


class ExecutionFailed(LoupeError):
    """An execution ended with an error that it does not know; the message carries it."""


class Executions:
    """`client` and `patient` are boto3 clients of Step Functions; `patient` waits for minutes."""

    def __init__(self, client: Any, patient: Any) -> None:
        self._client = client
        self._patient = patient

    def run(self, machine_arn: str, name: str, payload: Mapping[str, Any]) -> None:
        """Run an Express machine to its end.

        Raises TryAgain when it had no chance to, and ExecutionFailed with any other error.
        """
        result = self._patient.start_sync_execution(
            stateMachineArn=machine_arn, name=name, input=json.dumps(payload)
        )
        if result["status"] == "SUCCEEDED":
            return
        error = result.get("error", "")
        message = f"{result['status']}: {error}: {result.get('cause', '')}"
        if result["status"] == "TIMED_OUT" or error in BUSY:
            raise TryAgain(message)
        raise ExecutionFailed(message)

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
        """Let a state that waits for `token` go on; raises NotFound when none waits."""
        try:
            self._client.send_task_success(taskToken=token, output=json.dumps(output))
        except ClientError as error:
            if error.response["Error"]["Code"] in (
                "TaskTimedOut",
                "TaskDoesNotExist",
                "InvalidToken",
            ):
                raise NotFound("Nothing waits for this answer any more.") from error
            raise
