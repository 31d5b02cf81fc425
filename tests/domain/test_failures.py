"""Business rule: a person reads what went wrong, and only the data itself spends an attempt."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loupe.domain.failures import (
    LONGEST_PAUSE,
    MOST_FAILURES,
    Failure,
    blames_data,
    failure_from_json,
    final_errors,
    next_try,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_what_a_function_raised_is_shown_without_lambdas_wrapping() -> None:
    cause = json.dumps({"errorMessage": "no capacity", "errorType": "TryAgain", "stackTrace": []})

    assert Failure("TryAgain", cause).words == "TryAgain: no capacity"


def test_what_ended_a_nested_execution_is_shown_without_its_description() -> None:
    inner = json.dumps({"errorMessage": "no capacity", "errorType": "TryAgain"})
    cause = json.dumps({"Cause": inner, "Error": "TryAgain", "ExecutionArn": "arn:x"})

    assert Failure("States.TaskFailed", cause).words == "States.TaskFailed: no capacity"


@given(st.text())
def test_any_cause_can_be_shown(cause: str) -> None:
    assert Failure("Error", cause).words.startswith("Error: ")


def test_nothing_caught_is_no_failure() -> None:
    assert failure_from_json(None) is None
    assert failure_from_json({"Error": "States.Timeout"}) == Failure("States.Timeout", "")


def test_loupes_own_errors_are_final_but_for_those_that_pass() -> None:
    assert {"ServiceRefused", "UnusableImage", "InvalidRequest", "NotFound"} <= final_errors()
    assert not {"TryAgain", "ClientError", "States.Timeout", "Lambda.Unknown"} & final_errors()


@pytest.mark.parametrize(
    "message",
    [
        "The manifest file contains too many invalid rows.",
        "The manifest file is empty.",
        "The manifest file size exceeds the maximum supported size.",
        "The manifest file contains images from multiple S3 buckets.",
        "Less than 50% label overlap between the training and testing manifest files.",
        "The manifest file has too few usable labels.",
        "The training dataset has 1 labels; it needs 2 to 250.",
    ],
)
def test_messages_about_manifests_blame_the_data(message: str) -> None:
    assert blames_data(message)


@pytest.mark.parametrize(
    "message",
    [
        "Amazon Rekognition experienced a service issue.",
        "Amazon Rekognition Custom Labels is unable to access the S3 bucket.",
        "Failed to copy images from S3 bucket.",
        "The training was stopped by an internal error.",
        "",
    ],
)
def test_other_messages_do_not(message: str) -> None:
    assert not blames_data(message)


@given(st.integers(1, MOST_FAILURES - 2))
def test_pauses_grow_up_to_a_day(failures: int) -> None:
    first, second = next_try(failures, NOW), next_try(failures + 1, NOW)

    assert first is not None
    assert second is not None
    assert timedelta(0) < first - NOW <= second - NOW <= LONGEST_PAUSE


def test_there_is_a_last_try() -> None:
    assert next_try(MOST_FAILURES, NOW) is None
