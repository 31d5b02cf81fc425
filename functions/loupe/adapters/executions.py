"""Step Functions: the two state machines."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from loupe.errors import NotFound


class Executions:
    """`client` is `boto3.client("stepfunctions")`."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def run(self, machine_arn: str, name: str, payload: Mapping[str, Any]) -> None:
        """Run an Express machine to its end; raises RuntimeError when it did not succeed."""
        result = self._client.start_sync_execution(
            stateMachineArn=machine_arn, name=name, input=json.dumps(payload)
        )
        if result["status"] != "SUCCEEDED":
            raise RuntimeError(
                f"{result['status']}: {result.get('error', '')} {result.get('cause', '')}"
            )

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
