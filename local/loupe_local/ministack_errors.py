"""Errors of functions and executions under the names that AWS gives them (MiniStack 1.5.33).

State machines retry and catch by name, so a wrong name here is a wrong test of them.
"""

# ruff: noqa: PLC0415
# MiniStack reads the environment when it is imported, so it is imported when it is first needed.

import json
from typing import Any

from loupe_local.wire import Json

RAISED = "loupe:raised"
"""Marks a worker's answer that is an exception of the handler."""

REPORT = (
    '_real_stdout.write(json.dumps({"status": "error", "error": str(e), '
    '"trace": traceback.format_exc()}) + "\\n")'
)
"""How MiniStack's worker reports an exception of the handler: without its class."""

REPORT_WITH_NAME = (
    "traceback.print_exc(); "
    f'_real_stdout.write(json.dumps({{"status": "ok", "result": {{"{RAISED}": {{'
    '"errorMessage": str(e), "errorType": type(e).__name__, '
    '"stackTrace": traceback.format_tb(e.__traceback__)}}}) + "\\n")'
)
"""An answer like any other, because an exception does not end a worker in AWS either."""

THROTTLED = "TooManyRequestsException"
MOST_CAUSE = 32_768
"""Characters of a cause that Step Functions keeps."""


def mend() -> None:
    """Applies all changes."""
    _name_exceptions()
    _name_throttling()
    _fail_tasks_whose_request_fails()
    _wrap_errors_of_nested_executions()


def _name_exceptions() -> None:
    """`errorType` is the exception's class, as Lambda says; MiniStack calls every one the same."""
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc

    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    if REPORT not in script:
        raise LookupError("MiniStack's Python worker reports exceptions in another way now")
    lambda_runtime._PYTHON_WORKER_SCRIPT = script.replace(REPORT, REPORT_WITH_NAME)
    execute = lambda_svc._execute_function_warm

    def execute_function_warm(*arguments: Any) -> Json:
        answer: Json = execute(*arguments)
        body = answer.get("body")
        if isinstance(body, dict) and RAISED in body:
            return {**answer, "body": body[RAISED], "error": True}
        return answer

    lambda_svc._execute_function_warm = execute_function_warm


def _name_throttling() -> None:
    """A task whose function was throttled fails with Lambda's own error, not an unknown one."""
    from ministack.services import stepfunctions

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
    from ministack.services import stepfunctions

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
    from ministack.services import stepfunctions

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
