"""Business rule: a run that began under release 0.1.0 ends well after an update.

It goes on by its own definition and calls the functions of this release.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest

from loupe.domain.detection import DetectionState, Label
from loupe.domain.keys import ImageRef
from loupe.domain.versions import VersionStatus
from loupe.errors import ServiceRefused, TryAgain
from loupe.handlers import (
    build_dataset,
    check_training,
    close_training,
    compare_models,
    detect_labels,
    housekeeping,
    promote_model,
    record_detection,
    request_approval,
    request_review,
    set_model_state,
    smoke_test,
    train_model,
)
from tests.adapters.world import World, image_json
from tests.template.reading import STACK, handler_modules
from tests.upgrade.machine import Call, Machine

GET_PARAMETERS = "arn:aws:states:::aws-sdk:ssm:getParameters"


CALLED: tuple[Any, ...] = (
    build_dataset,
    check_training,
    close_training,
    compare_models,
    detect_labels,
    housekeeping,
    promote_model,
    smoke_test,
    record_detection,
    request_approval,
    request_review,
    set_model_state,
    train_model,
)


class Released:
    """The machines of 0.1.0 over a world; time passes while they wait."""

    def __init__(self, world: World, patch: pytest.MonkeyPatch) -> None:
        self.world = world
        self.becomes = {
            "TRAINING_IN_PROGRESS": "TRAINING_COMPLETED",
            "STARTING": "RUNNING",
            "STOPPING": "STOPPED",
        }
        self.f1 = 0.9
        self.approves = True
        self.call: dict[str, Call] = {GET_PARAMETERS: self._parameters}
        functions = {module: name for name, module in handler_modules().items()}
        for module in CALLED:
            patch.setattr(module, "deps", lambda: world.deps)
            name = functions[module.__name__.rpartition(".")[2]]
            self.call[name] = partial(module.handler, context=None)
        self.call["RequestApproval"] = self._approval

    def run(self, name: str, **payload: Any) -> Machine:
        machine = Machine(name, self.call, self._wait)
        machine.run(payload)
        return machine

    def _parameters(self, arguments: dict[str, Any]) -> dict[str, Any]:
        names = [name.removeprefix(f"/{STACK}/") for name in arguments["Names"]]
        values = self.world.deps.parameters.values()
        found = [{"Name": f"/{STACK}/{name}", "Value": values[name]} for name in names]
        return {"Parameters": found}

    def _approval(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Asks, and is answered as `operations.decide` answers."""
        request_approval.handler(payload, None)
        return {"approved": self.approves, "by": "ada"}

    def _wait(self) -> None:
        for name, state in list(self.world.rekognition.states.items()):
            if state.status in self.becomes:
                self.world.rekognition.become(name, self.becomes[state.status], self.f1)


def knows(_arn: str, image: ImageRef) -> Sequence[Label]:
    """A model that is always right and sure."""
    return (Label(image.key.split("/")[-2], 95.0),)


@pytest.fixture
def released(world: World, monkeypatch: pytest.MonkeyPatch) -> Released:
    world.set(Minimum_Untrained_Images="1")
    world.rekognition.answers = knows
    for number in range(4):
        world.labelled("cat" if number % 2 else "dog", f"{number} ü.png", number)
    return Released(world, monkeypatch)


def status(released: Released, version: str) -> str:
    return released.world.deps.versions.get(version).status


def running(released: Released) -> list[str]:
    return [n for n, s in released.world.rekognition.states.items() if s.status == "RUNNING"]


def test_a_run_trains_compares_and_promotes(released: Released) -> None:
    assert released.run("improve").entered[-1] == "Done"
    assert status(released, "v1") == VersionStatus.IN_SERVICE
    released.world.labelled("cat", "more.png", 5)

    second = released.run("improve")

    assert second.entered[-1] == "Done"
    assert (status(released, "v1"), status(released, "v2")) == (
        VersionStatus.REPLACED,
        VersionStatus.IN_SERVICE,
    )
    assert running(released) == ["v2"]
    assert released.world.deps.versions.lease_holder() == ""


def test_a_run_starts_the_version_in_service_for_the_comparison(released: Released) -> None:
    released.run("improve")
    released.world.rekognition.become("v1", "STOPPED")
    for number in (5, 6):  # One of them is held out, and v1 was never asked about it.
        released.world.labelled("cow", f"{number}.png", number)

    second = released.run("improve")

    assert "Start champion" in second.entered
    assert status(released, "v2") == VersionStatus.IN_SERVICE
    assert running(released) == ["v2"]


@pytest.mark.parametrize(
    ("approves", "expected"), [(True, VersionStatus.IN_SERVICE), (False, VersionStatus.REJECTED)]
)
def test_a_run_waits_for_approval(released: Released, approves: bool, expected: str) -> None:
    released.world.set(Enable_Automatic_Deployment="false")
    released.approves = approves

    assert released.run("improve").entered[-1] == "Done"
    assert status(released, "v1") == expected
    assert running(released) == (["v1"] if approves else [])


def test_a_version_below_the_gate_is_closed(released: Released) -> None:
    released.f1 = 0.2

    assert released.run("improve").entered[-1] == "Done"
    assert status(released, "v1") == VersionStatus.BELOW_GATE


def test_a_training_that_fails_is_closed(released: Released) -> None:
    released.becomes["TRAINING_IN_PROGRESS"] = "TRAINING_FAILED"

    assert released.run("improve").entered[-1] == "Failed"
    assert status(released, "v1") == VersionStatus.TRAINING_FAILED
    assert released.world.deps.versions.lease_holder() == ""


def test_a_challenger_that_fails_is_stopped(released: Released) -> None:
    def refuse(_payload: Any) -> Any:
        raise ServiceRefused("no answer")

    released.call["ProveModel"] = refuse

    assert released.run("improve").entered[-1] == "Failed"
    assert status(released, "v1") == VersionStatus.FAILED
    assert running(released) == []


def read(released: Released, confidence: float) -> tuple[str, str]:
    """What becomes of an image that the model is so sure of, and where the run ends."""
    world = released.world
    world.version("v1", arn="arn:v1")
    world.deps.versions.promote(
        world.deps.versions.get("v1"), world.deps.versions.service(), "now", "it is good", []
    )
    world.rekognition.answers = lambda _arn, _image: (Label("cat", confidence),)
    image = world.received("new.png", 9)
    machine = released.run("detect", image=image_json(image))
    return world.detection(image).state, machine.entered[-1]


@pytest.mark.parametrize(
    ("confidence", "expected"),
    [
        (99.0, (DetectionState.ACCEPTED, "Record with its answer")),
        (10.0, (DetectionState.REVIEW, "Request review")),
    ],
)
def test_an_image_is_read(released: Released, confidence: float, expected: tuple[str, str]) -> None:
    assert read(released, confidence) == expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [(TryAgain("busy"), DetectionState.WAITING), (ServiceRefused("no"), DetectionState.FAILED)],
)
def test_an_image_that_is_not_read_waits_or_fails(
    released: Released, error: Exception, expected: str
) -> None:
    def fail(_payload: Any) -> Any:
        raise error

    released.call["DetectLabels"] = fail

    assert read(released, 99.0) == (expected, "Record without an answer")
