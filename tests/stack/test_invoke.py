"""Every function on its sample event as `make invoke` prepares it, by the code that SAM built.

There is no Docker engine here: a process stands for the container, with its variables alone.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from loupe_cli.target import Target
from tests.stack.conftest import NAME, ROOT, Stack
from tests.template.reading import handler_modules, template
from tools.invoke import __main__ as command
from tools.invoke.cloudformation import answer_to
from tools.invoke.outcome import refusal
from tools.invoke.samples import EVENTS

pytestmark = pytest.mark.stack

BUILT = ROOT / "build" / "test-sam"
RUN = """
import importlib, json, sys, time

class Context:
    end = time.monotonic() + float(sys.argv[2])

    def get_remaining_time_in_millis(self):
        return int(1000 * (self.end - time.monotonic()))

module = importlib.import_module(sys.argv[1].removesuffix(".handler"))
assert module.__file__.startswith(sys.argv[3]), module.__file__
print(json.dumps(module.handler(json.load(sys.stdin), Context())))
"""
NOTHING_FAILED: dict[str, Any] = {"batchItemFailures": []}
ANSWERS: Mapping[str, Mapping[str, Any] | None] = {
    "DispatchImages": NOTHING_FAILED,
    "DetectLabels": {"outcome": "labels", "version": "v3"},
    "RecordDetection": {"state": "accepted"},
    "RequestReview": {"state": "review"},
    "RegisterImage": NOTHING_FAILED,
    "AnswerReview": {"state": "closing"},
    "RecordReview": NOTHING_FAILED,
    "RecordReport": NOTHING_FAILED,
    "CheckTraining": {"action": "train", "version": "v4"},
    "BuildDataset": {"status": "ready", "training_images": 16, "holdout_images": 8},
    "TrainModel": {"status": "trained"},
    "RunModel": {"status": "ready"},
    "CompareModels": {"status": "decided", "champion": "v3"},
    "RequestApproval": {},
    "ProveModel": {"answered": "crate"},
    "PromoteModel": {"previous": "v3"},
    "CloseTraining": {},
    "SampleReviews": {"sampled": 1},
    "ManagePower": {"action": "leave", "queued": 0},
    "ApplySettings": {"changed": []},
    "PublishEvents": NOTHING_FAILED,
    "ServeConsole": {"statusCode": 200},
    "ProvisionProject": None,
    "StopRounds": None,
    "ProvisionFlow": None,
    "ProvisionTeam": None,
}
"""What each answers at least; custom resources answer CloudFormation."""


@pytest.fixture(scope="module")
def target(stack: Stack) -> Iterator[Target]:
    """The stack as the command sees it; it reaches the stack as the operator."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in stack.endpoint.environment.items():
            environment.setenv(name, value)
        yield Target(NAME)


@cache
def sample(function: str) -> Path:
    return EVENTS / f"{handler_modules()[function]}.json"


def run(function: str, prepared: command.Prepared, stack: Stack) -> Any:
    """The function's answer, from a process that has only what a container gets."""
    properties = template()["Resources"][function]["Properties"]
    timeout = properties.get("Timeout", template()["Globals"]["Function"]["Timeout"])
    code = str(BUILT / function)
    given = dict(stack.endpoint.environment) | prepared.variables
    done = subprocess.run(
        [sys.executable, "-c", RUN, properties["Handler"], str(timeout), code],
        input=json.dumps(prepared.event),
        env={**given, "PYTHONPATH": code, "AWS_LAMBDA_FUNCTION_NAME": function},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_every_function_is_tried() -> None:
    assert set(ANSWERS) == set(handler_modules())


@pytest.mark.parametrize("function", ANSWERS)
def test_a_function_answers_its_sample_event(function: str, stack: Stack, target: Target) -> None:
    prepared = command.prepare(function, sample(function), target, stack.endpoint.url)

    answer, expected = run(function, prepared, stack), ANSWERS[function]

    if expected is None:
        assert answer is None
        assert refusal(answer_to(prepared.event, target)) == ""
    else:
        assert {name: answer[name] for name in expected} == expected


def test_it_answers_in_the_same_way_again(stack: Stack, target: Target) -> None:
    for _ in range(2):
        prepared = command.prepare(
            "AnswerReview", sample("AnswerReview"), target, stack.endpoint.url
        )
        assert run("AnswerReview", prepared, stack) == {"state": "closing"}


def test_a_custom_resource_that_sends_no_answer_has_failed(stack: Stack, target: Target) -> None:
    prepared = command.prepare("ProvisionTeam", sample("ProvisionTeam"), target, stack.endpoint.url)

    assert refusal(answer_to(prepared.event, target)) == "it sent CloudFormation no answer"


def test_the_stacks_own_data_are_as_they_were(stack: Stack) -> None:
    assert stack.detections() == []
    assert list(stack.deps.reviews.newest()) == []
    assert list(stack.deps.dataset.labelled_images()) == []
    assert list(stack.deps.versions.newest()) == []
    assert stack.models() == {}
    assert stack.deps.versions.lease_holder() == ""
    kinds = {event["type"] for event in stack.deps.table.listing("EVENT")}
    assert kinds <= {"SettingsApplied"}
