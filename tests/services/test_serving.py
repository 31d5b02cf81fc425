"""Business rule: an operator approves, rejects, starts and stops versions, by name."""

import pytest

from loupe.adapters.rekognition import VersionState
from loupe.domain.versions import VersionStatus
from loupe.errors import AlreadyDone, InvalidRequest, TryAgain
from loupe.services.serving import (
    ModelState,
    decide_approval,
    request_approval,
    switch_service,
)
from tests.adapters.world import World


@pytest.fixture
def waiting(world: World) -> World:
    """Version v2 waits for approval; v1 and v3 do not."""
    world.version("v1", VersionStatus.NOT_BETTER)
    world.version("v2", VersionStatus.TRAINING)
    request_approval("v2", "it is better", "token", world.deps)
    world.version("v3", VersionStatus.NOT_BETTER)
    return world


@pytest.fixture
def serving(world: World) -> World:
    """A version in service that is stopped."""
    world.in_service()
    world.rekognition.become("v1", "STOPPED")
    return world


@pytest.mark.parametrize("version", ["", "v2"])
@pytest.mark.parametrize("approved", [True, False])
def test_a_decision_continues_the_run_that_waits_for_it(
    waiting: World, monkeypatch: pytest.MonkeyPatch, version: str, approved: bool
) -> None:
    answers = []
    monkeypatch.setattr(
        waiting.executions, "answer", lambda token, output: answers.append((token, output))
    )

    decided = decide_approval(approved, "ann", waiting.deps, version)

    assert decided.name == "v2"
    assert answers == [("token", {"approved": approved, "by": "ann"})]


def test_a_version_that_does_not_wait_cannot_be_approved(waiting: World) -> None:
    with pytest.raises(InvalidRequest, match="v2 waits for approval, and not v3"):
        decide_approval(True, "ann", waiting.deps, "v3")


def test_without_a_version_that_waits_there_is_nothing_to_approve(world: World) -> None:
    world.version("v1", VersionStatus.NOT_BETTER)

    with pytest.raises(InvalidRequest, match="No version waits for approval"):
        decide_approval(True, "ann", world.deps)


def test_a_person_who_starts_and_stops_the_model_is_the_reason(serving: World) -> None:
    assert switch_service(True, "ann", serving.deps) == ModelState("changing")
    serving.rekognition.become("v1", "RUNNING")
    assert switch_service(True, "ann", serving.deps) == ModelState("ready")
    assert switch_service(False, "bob", serving.deps) == ModelState("changing")
    serving.rekognition.become("v1", "STOPPED")
    assert switch_service(False, "bob", serving.deps) == ModelState("ready")

    assert "ann asked for it" in serving.events("ModelStarted")[0]["text"]
    assert "bob asked for it" in serving.events("ModelStopped")[0]["text"]


def test_without_a_version_in_service_there_is_nothing_to_start(world: World) -> None:
    with pytest.raises(InvalidRequest, match="No version is in service yet"):
        switch_service(True, "ann", world.deps)


def test_a_version_that_cannot_be_started_says_why(serving: World) -> None:
    serving.rekognition.states["v1"] = VersionState("DELETING", "arn:v1", "it is being deleted")

    with pytest.raises(InvalidRequest, match="v1 cannot be started: it is being deleted"):
        switch_service(True, "ann", serving.deps)


@pytest.mark.parametrize(("status", "error"), [("STARTING", AlreadyDone), ("STOPPED", TryAgain)])
def test_a_start_that_the_service_refuses_is_done_if_another_request_was_faster(
    serving: World, monkeypatch: pytest.MonkeyPatch, status: str, error: type[Exception]
) -> None:
    def start(*_: object) -> None:
        serving.rekognition.become("v1", status)
        raise TryAgain("ResourceInUseException")

    monkeypatch.setattr(serving.rekognition, "start", start)

    with pytest.raises(error):
        switch_service(True, "ann", serving.deps)
