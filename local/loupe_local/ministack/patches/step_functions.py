"""Executions: started at once, under names of their own, with errors named as AWS names them.

State machines retry and catch by name, so a wrong name here is a wrong test of them.
"""

import json
import time
from types import SimpleNamespace
from typing import Any

from ministack.core.responses import new_uuid
from ministack.services import stepfunctions

from loupe_local.http.wire import Json

START_PAUSE = 0.15
"""What MiniStack sleeps before every execution."""
THROTTLED = "TooManyRequestsException"
MOST_CAUSE = 32_768
"""Characters of a cause that Step Functions keeps."""


def apply() -> None:
    """Apply all changes."""
    _start_at_once()
    _run_synchronously_under_names_of_their_own()
    _name_throttling()
    _fail_tasks_whose_request_fails()
    _wrap_errors_of_nested_executions()


def _start_at_once() -> None:
    """Takes out the pause before every execution, which tripled the time of a detection."""

    def sleep(seconds: float) -> None:
        if seconds != START_PAUSE:
            time.sleep(seconds)

    stepfunctions.time = SimpleNamespace(**{**vars(time), "sleep": sleep})


def _run_synchronously_under_names_of_their_own() -> None:
    """Lets two synchronous executions of one name run side by side, as AWS does.

    MiniStack keeps them by name, and would answer the first with the state of the second.
    """
    start = stepfunctions._start_sync_execution

    def start_sync_execution(data: Json) -> Any:
        return start({**data, "name": f"{data.get('name', '')}:{new_uuid()}"})

    stepfunctions._start_sync_execution = start_sync_execution


def _name_throttling() -> None:
    """A task whose function was throttled fails with Lambda's own error, not an unknown one."""
    call = stepfunctions._call_lambda

    def call_lambda(function: str, event: Any) -> Any:
        try:
            return call(function, event)
        except stepfunctions._ExecutionError as error:
            if error.error == "Lambda.Unknown" and THROTTLED in error.cause:
                raise stepfunctions._ExecutionError(f"Lambda.{THROTTLED}", error.cause) from error
            raise

    stepfunctions._call_lambda = call_lambda


def _fail_tasks_whose_request_fails() -> None:
    """A task that waits for a token fails with the function that was to hand the token out.

    MiniStack ignores that failure and waits for a token that nobody has.
    """
    call = stepfunctions._call_lambda

    def call_lambda(function: str, event: Any) -> Any:
        try:
            return call(function, event)
        except stepfunctions._ExecutionError as error:
            _fail_token(event, error)
            raise

    def _fail_token(event: Any, error: Any) -> None:
        tokens = stepfunctions._task_tokens
        values = event.values() if isinstance(event, dict) else ()
        for token in [value for value in values if isinstance(value, str) and value in tokens]:
            tokens[token]["error"] = {"Error": error.error, "Cause": error.cause}
            tokens[token]["event"].set()

    stepfunctions._call_lambda = call_lambda


def _wrap_errors_of_nested_executions() -> None:
    """A nested execution that fails is `States.TaskFailed` to its parent, whatever failed in it.

    Its own error stands in the cause, which is a JSON document, as DescribeExecution gives it.
    """

    def nested_execution_failure(described: Json) -> tuple[str, str]:
        own: Json = {}
        if isinstance(described.get("output"), str):
            own = json.loads(described["output"])
        document = {
            "Cause": described.get("cause") or own.get("Cause", ""),
            "Error": described.get("error") or own.get("Error", ""),
            "ExecutionArn": described.get("executionArn", ""),
            "Status": described.get("status", "FAILED"),
        }
        return "States.TaskFailed", json.dumps(document)[:MOST_CAUSE]

    stepfunctions._nested_execution_failure = nested_execution_failure
