"""Executions: only the one that waits for minutes does, and every ending has its own error."""

from typing import Any
from unittest.mock import Mock

import pytest

from loupe.adapters.executions import ExecutionFailed, Executions
from loupe.errors import TryAgain
from loupe.wiring import SYNC_EXECUTION_SECONDS, Deps
from tests.adapters.world import session
from tests.template.reading import properties, resources, template


def run(**result: Any) -> None:
    patient = Mock()
    patient.start_sync_execution.return_value = result
    Executions(Mock(), patient).run("arn:detect", "image", {})


def test_a_run_that_succeeds_returns() -> None:
    run(status="SUCCEEDED", output="{}")


@pytest.mark.parametrize(
    "result",
    [
        {"status": "FAILED", "error": "Lambda.TooManyRequestsException"},
        {"status": "FAILED", "error": "Ssm.ThrottlingException"},
        {"status": "FAILED", "error": "ProvisionedThroughputExceededException"},
        {"status": "FAILED", "error": "TryAgain", "cause": "the table was busy"},
    ],
)
def test_a_run_that_met_a_passing_fault_can_be_tried_again(result: dict[str, str]) -> None:
    with pytest.raises(TryAgain):
        run(**result)


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ({"status": "FAILED", "error": "KeyError", "cause": "'labels'"}, "KeyError: 'labels'"),
        ({"status": "FAILED", "error": "States.Timeout"}, "States.Timeout"),
        ({"status": "TIMED_OUT"}, "TIMED_OUT"),
    ],
)
def test_any_other_end_is_named(result: dict[str, str], words: str) -> None:
    with pytest.raises(ExecutionFailed, match=words):
        run(**result)


def seconds_of_a_call(function: str) -> int:
    """How long a service that hangs keeps `function`, with all attempts and pauses between them."""
    variables = properties(function).get("Environment", {}).get("Variables", {})
    given = {name: value for name, value in variables.items() if name == "LOUPE_ATTEMPTS"}
    config = vars(Deps(given, session()))["_config"]
    attempts = config.retries["total_max_attempts"]
    pauses = sum(2**number for number in range(attempts - 1))
    return int(attempts * (config.connect_timeout + config.read_timeout) + pauses)


@pytest.mark.parametrize("function", resources("AWS::Serverless::Function"))
def test_a_service_that_hangs_is_given_up_before_the_function_is(function: str) -> None:
    default = template()["Globals"]["Function"]["Timeout"]

    assert seconds_of_a_call(function) < properties(function).get("Timeout", default)


def test_the_housekeeping_has_time_for_more_than_one_service_that_hangs() -> None:
    assert 4 * seconds_of_a_call("ManagePower") < properties("ManagePower")["Timeout"]


def test_only_a_synchronous_execution_is_waited_for_longer_than_a_function_may_run() -> None:
    patient = vars(Deps({}, session()).executions)["_patient"].meta.config

    assert patient.read_timeout == SYNC_EXECUTION_SECONDS > properties("DispatchImages")["Timeout"]
