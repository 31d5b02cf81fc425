"""Business rule: what a version's running costs is counted from what the service says of it."""

from datetime import timedelta

import pytest

from loupe.adapters.rekognition import VersionState
from loupe.errors import ServiceRefused, TryAgain
from loupe.services.autostart import record_hours
from loupe.services.lookups import Lookups
from loupe.services.serving import StateChange, set_state
from loupe.services.status import cost_of_models
from tests.adapters.world import World

PRICE = 4.0


@pytest.fixture
def version(world: World) -> str:
    world.version("v1", arn="arn:v1")
    world.rekognition.become("v1", "STOPPED")
    return "v1"


def ask(world: World, target: str) -> None:
    set_state(StateChange("v1", target, "why"), world.deps)


def look(world: World, minutes: float = 1, times: int = 1) -> None:
    for _ in range(times):
        world.deps.now += timedelta(minutes=minutes)
        record_hours(Lookups(world.deps))


def unit_hours(world: World) -> float:
    return cost_of_models(world.deps).unit_hours_month


def test_a_run_is_counted_from_its_start_to_its_stop(world: World, version: str) -> None:
    world.rekognition.states[version] = VersionState("STOPPED", "arn:v1", units=2)
    ask(world, "RUNNING")
    world.rekognition.become(version, "RUNNING")
    look(world, times=30)
    ask(world, "STOPPED")
    world.rekognition.become(version, "STOPPED")
    look(world, times=30)

    assert unit_hours(world) == pytest.approx(2 * 0.5, rel=0.05)
    assert cost_of_models(world.deps).today == pytest.approx(2 * 0.5 * PRICE, rel=0.05)


def test_minutes_that_the_housekeeping_missed_are_counted(world: World, version: str) -> None:
    ask(world, "RUNNING")
    world.rekognition.states[version] = VersionState("RUNNING", "arn:v1", units=1)
    look(world, times=2)
    look(world, minutes=58)

    assert unit_hours(world) == pytest.approx(1, rel=0.05)


def test_what_ought_not_to_run_is_counted_as_well(world: World, version: str) -> None:
    world.rekognition.states["v0"] = VersionState("RUNNING", "arn:v0", units=1)

    look(world, minutes=30, times=3)

    assert unit_hours(world) == pytest.approx(1, rel=0.05)
    assert {name for _, name, _ in world.deps.running.ran("2026-01")} == {"v0"}


def test_while_nothing_runs_nothing_is_written(world: World, version: str) -> None:
    ask(world, "STOPPED")
    look(world, times=5)

    assert world.deps.running.looks() == {}
    assert world.deps.running.ran("2026-01") == []


def test_two_looks_at_once_count_the_time_once(world: World, version: str) -> None:
    world.rekognition.states[version] = VersionState("RUNNING", "arn:v1", units=1)
    look(world)
    before = world.deps.running.look(version)
    at = world.deps.clock() + timedelta(hours=1)

    for _ in range(2):
        world.deps.running.record(version, before, at, "RUNNING", 1)

    assert unit_hours(world) == pytest.approx(1, rel=0.01)


def test_the_event_of_a_stop_says_what_the_run_cost(world: World, version: str) -> None:
    ask(world, "RUNNING")
    world.rekognition.states[version] = VersionState("RUNNING", "arn:v1", units=1)
    look(world, minutes=90)
    ask(world, "STOPPED")

    (stopped,) = world.events("ModelStopped")
    assert "It cost about $6.0" in stopped["text"]


def test_on_the_embedded_stack_every_text_says_that_nothing_is_billed(
    world: World, version: str
) -> None:
    world.deps._environment = {
        **world.deps._environment,
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
    }
    ask(world, "RUNNING")
    world.rekognition.states[version] = VersionState("RUNNING", "arn:v1", units=1)
    look(world, minutes=60)
    ask(world, "STOPPED")

    assert all("Nothing is billed" in told["text"] for told in world.events())
    found = cost_of_models(world.deps)
    assert not found.billed
    assert "nothing on this machine" in found.text
    assert found.today == pytest.approx(PRICE, rel=0.05)


# Events of starts and stops


SWITCHES = [("RUNNING", "STOPPED", "ModelStarted"), ("STOPPED", "RUNNING", "ModelStopped")]


def lose_looks(world: World, patch: pytest.MonkeyPatch) -> None:
    """Let every write of a look meet another transaction, once the service was asked."""

    def record(*_: object) -> None:
        if any(call[0] in ("start", "stop") for call in world.rekognition.calls):
            raise TryAgain("The table was busy with another change.")

    patch.setattr(world.deps.running, "record", record)


@pytest.mark.parametrize(("wanted", "status", "kind"), SWITCHES)
@pytest.mark.parametrize("next_look", ["housekeeping", "the step again"])
def test_a_fault_after_the_service_was_asked_loses_no_event(
    world: World, version: str, wanted: str, status: str, kind: str, next_look: str
) -> None:
    world.rekognition.become(version, status)
    look(world)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(TryAgain):
        lose_looks(world, patch)
        ask(world, wanted)
    assert world.events(kind) == []

    for _ in range(2):
        if next_look == "housekeeping":
            look(world)
        else:
            ask(world, wanted)

    (told,) = world.events(kind)
    assert told["detail"]["reason"] == "why"


def test_what_the_service_refuses_is_not_told_when_somebody_else_starts_the_model(
    world: World, version: str
) -> None:
    world.rekognition.refuses_to_start = "no capacity"
    with pytest.raises(ServiceRefused):
        ask(world, "RUNNING")

    world.rekognition.become(version, "RUNNING")
    look(world)

    assert world.events() == []


def test_each_start_and_stop_is_told_however_soon_they_follow(world: World, version: str) -> None:
    for wanted, reached in [("RUNNING", "RUNNING"), ("STOPPED", "STOPPED")] * 2:
        ask(world, wanted)
        world.rekognition.become(version, reached)

    assert len(world.events("ModelStarted")) == 2
    assert len(world.events("ModelStopped")) == 2
