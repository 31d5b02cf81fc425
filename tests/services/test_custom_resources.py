"""Business rule: CloudFormation always hears how its request ended, and nothing is left to bill."""

import json
import urllib.request
from collections.abc import Mapping
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest

from loupe.adapters import cloudformation
from loupe.adapters.cloudformation import CloudFormation, CustomResource
from loupe.adapters.rekognition import DatasetState, VersionState
from loupe.errors import InvalidRequest, TryAgain
from loupe.handlers import provision_project, stop_rounds
from loupe.services.custom_resources import project as project_resource
from loupe.services.custom_resources import requests
from loupe.services.custom_resources.project import delete
from loupe.services.custom_resources.requests import INVOCATIONS, Unfinished, answer

STACK_ID = "arn:aws:cloudformation:us-east-1:123456789012:stack/loupe/1"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:loupe-ProvisionProject"


class Context:
    """Of an invocation whose time is over after `looks` looks at the clock."""

    invoked_function_arn = FUNCTION

    def __init__(self, looks: int = 1000) -> None:
        self._left = looks

    def get_remaining_time_in_millis(self) -> int:
        self._left -= 1
        return 900_000 if self._left >= 0 else 0


class FakeLambda:
    """Keeps what is invoked."""

    def __init__(self) -> None:
        self.invoked: list[dict[str, Any]] = []

    def invoke(self, FunctionName: str, InvocationType: str, Payload: str) -> None:  # noqa: N803
        assert (FunctionName, InvocationType) == (FUNCTION, "Event")
        self.invoked.append(json.loads(Payload))


class FakeProject:
    """A project whose versions take `slowness` looks to start, and one to stop or to go."""

    def __init__(self, statuses: Mapping[str, str], slowness: int = 2) -> None:
        self.statuses = dict(statuses)
        self.datasets = {"train": "CREATE_COMPLETE", "test": "UPDATE_IN_PROGRESS"}
        self.exists = True
        self.refusals = 0
        self._slowness = slowness

    def project_exists(self) -> bool:
        return self.exists

    def versions(self) -> list[tuple[str, VersionState]]:
        if self.refusals:
            self.refusals -= 1
            raise TryAgain("ThrottlingException: Slow down.")
        seen = [(name, VersionState(status, arn=name)) for name, status in self.statuses.items()]
        self._slowness -= 1
        after = {"STOPPING": "STOPPED", "STARTING": "RUNNING" if self._slowness < 1 else "STARTING"}
        for name, status in list(self.statuses.items()):
            self.statuses[name] = after.get(status, status)
            if status == "DELETING":
                del self.statuses[name]
        return seen

    def dataset(self, split: str) -> DatasetState:
        status = self.datasets.get(split, "")
        self.datasets = dict.fromkeys(self.datasets, "UPDATE_COMPLETE")
        return DatasetState(status, arn=split)

    def stop(self, arn: str) -> None:
        assert self.statuses[arn] == "RUNNING"
        self.statuses[arn] = "STOPPING"

    def delete_version(self, arn: str) -> None:
        assert self.statuses[arn] in ("STOPPED", "TRAINING_COMPLETED", "TRAINING_FAILED", "FAILED")
        self.statuses[arn] = "DELETING"

    def delete_dataset(self, arn: str) -> None:
        del self.datasets[arn]

    def delete_project(self) -> None:
        assert not self.statuses
        assert not self.datasets
        self.exists = False


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project_resource, "POLL_SECONDS", 0)
    monkeypatch.setattr(cloudformation, "SEND_PAUSES", (0, 0, 0, 0))


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What CloudFormation hears."""
    heard: list[dict[str, Any]] = []

    def send(request: urllib.request.Request, timeout: float) -> BytesIO:
        assert isinstance(request.data, bytes)
        heard.append(json.loads(request.data))
        return BytesIO()

    monkeypatch.setattr(urllib.request, "urlopen", send)
    return heard


def request(kind: str, **properties: Any) -> dict[str, Any]:
    named = {} if kind == "Create" else {"PhysicalResourceId": "made"}
    return named | {
        "RequestType": kind,
        "ResponseURL": "https://127.0.0.1/answer",
        "StackId": STACK_ID,
        "RequestId": "r",
        "LogicalResourceId": "Thing",
        "ResourceProperties": properties,
    }


def unfinished(_request: Mapping[str, Any], _context: Any, _deps: Any) -> CustomResource:
    raise Unfinished("version v1 is STARTING")


def world_with(functions: Any = None, status: str = "", **more: Any) -> Any:
    """Dependencies whose CloudFormation says that every stack is in `status`."""

    def describe_stacks(StackName: str) -> dict[str, Any]:  # noqa: N803
        assert StackName == STACK_ID
        return {"Stacks": [{"StackStatus": status}]}

    client: Any = SimpleNamespace(describe_stacks=describe_stacks)
    return SimpleNamespace(cloudformation=CloudFormation(client, functions), **more)


# How a request is answered


def test_a_failure_is_answered_with_its_reason(answers: list[dict[str, Any]]) -> None:
    def provide(_request: Mapping[str, Any], _context: Any, _deps: Any) -> CustomResource:
        raise InvalidRequest("The stack cannot be called 'aws'.")

    answer(request("Create"), None, provide, world_with())

    (heard,) = answers
    assert (heard["Status"], heard["Reason"]) == ("FAILED", "The stack cannot be called 'aws'.")


def test_an_answer_that_does_not_arrive_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    attempts: list[str] = []

    def send(sent: urllib.request.Request, timeout: float) -> BytesIO:
        assert isinstance(sent.data, bytes)
        attempts.append(json.loads(sent.data)["Status"])
        if len(attempts) < 3:
            raise OSError("no route")
        return BytesIO()

    monkeypatch.setattr(urllib.request, "urlopen", send)

    answer(request("Update"), None, lambda *_: CustomResource("made"), world_with())

    assert attempts == ["SUCCESS"] * 3


def test_what_takes_longer_is_handed_on_and_answered_by_the_last_invocation(
    answers: list[dict[str, Any]],
) -> None:
    functions, event = FakeLambda(), request("Delete", ProjectName="loupe")
    functions.invoked.append(event)

    for each in functions.invoked:
        answer(each, Context(), unfinished, world_with(functions))

    assert [each | event for each in functions.invoked] == functions.invoked
    assert len(functions.invoked) == INVOCATIONS
    (heard,) = answers
    assert (heard["Status"], heard["Reason"]) == ("FAILED", "version v1 is STARTING")


def test_all_invocations_end_before_cloudformation_stops_to_listen() -> None:
    seconds = 900 - requests.SPARE_SECONDS

    assert seconds * INVOCATIONS < 3600 - 5 * 60


def test_a_request_that_cannot_be_handed_on_is_answered(answers: list[dict[str, Any]]) -> None:
    def invoke(**_request: Any) -> None:
        raise PermissionError("not authorized to perform lambda:InvokeFunction")

    answer(request("Delete"), Context(), unfinished, world_with(SimpleNamespace(invoke=invoke)))

    (heard,) = answers
    assert heard["Status"] == "FAILED"
    assert "lambda:InvokeFunction" in heard["Reason"]


# The project


@pytest.mark.parametrize(
    "statuses",
    [
        {},
        {"v1": "RUNNING"},
        {"v1": "STARTING"},
        {"v1": "STOPPING", "v2": "TRAINING_FAILED", "v3": "STARTING", "v4": "RUNNING"},
    ],
)
def test_whatever_is_in_a_project_is_stopped_and_deleted(statuses: dict[str, str]) -> None:
    project: Any = FakeProject(statuses)

    delete(project, Context())

    assert not project.exists


def test_a_passing_fault_is_tried_again() -> None:
    project: Any = FakeProject({"v1": "RUNNING"})
    project.refusals = 2

    delete(project, Context())

    assert not project.exists


@pytest.mark.parametrize("status", ["STARTING", "TRAINING_IN_PROGRESS"])
def test_what_cannot_be_stopped_in_time_is_named_with_the_way_out(status: str) -> None:
    project: Any = FakeProject({"v1": status, "v2": "RUNNING"}, slowness=1000)

    with pytest.raises(Unfinished) as refusal:
        delete(project, Context(looks=8))

    assert f"version v1 is {status}" in str(refusal.value)
    assert "Delete the stack again" in str(refusal.value)
    assert list(project.statuses) == ["v1"]  # Whatever else there was is gone.


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_a_stack_whose_name_cannot_work_gets_no_project(
    kind: str, answers: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provision_project, "deps", world_with)
    event = request(kind, ProjectName="Loupe", HumanReview="a2i", MakesTeam="false")

    provision_project.handler(event, Context())

    (heard,) = answers
    assert heard["Status"] == "FAILED"
    assert heard["Reason"].startswith("The stack cannot be called 'Loupe': Amazon A2I takes")


# Training runs


@pytest.mark.parametrize(
    ("kind", "status", "deleted"),
    [
        ("Delete", "DELETE_IN_PROGRESS", True),
        ("Delete", "ROLLBACK_IN_PROGRESS", True),
        ("Delete", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", False),
        ("Delete", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", False),
        ("Create", "CREATE_IN_PROGRESS", False),
        ("Update", "UPDATE_IN_PROGRESS", False),
    ],
)
def test_the_machine_goes_only_with_the_whole_stack(
    kind: str,
    status: str,
    deleted: bool,
    answers: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machines: list[str] = []

    executions = SimpleNamespace(delete_machine=lambda arn, _late: machines.append(arn))
    deps = world_with(status=status, executions=executions)
    monkeypatch.setattr(stop_rounds, "deps", lambda: deps)

    stop_rounds.handler(request(kind, StateMachines=["improve", "set-model-state"]), Context())

    (heard,) = answers
    assert heard["Status"] == "SUCCESS"
    assert machines == (["improve", "set-model-state"] if deleted else [])
