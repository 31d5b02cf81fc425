"""Business rule: an event says why the model was started or stopped, and what it cost."""

from datetime import timedelta

import pytest

from loupe.adapters.rekognition import VersionState
from loupe.domain.model_state import Attempts, ModelStatus
from loupe.services.autostart import record_hours, stop_strays, switch
from loupe.services.lookups import Lookups
from tests.adapters.world import World


@pytest.fixture
def serving(world: World) -> World:
    """A version in service that is stopped."""
    world.in_service()
    world.rekognition.become("v1", "STOPPED")
    return world


def seen(world: World, version: str, status: str) -> None:
    """A version has reached a state, and the next housekeeping run sees it."""
    world.rekognition.become(version, status)
    record_hours(Lookups(world.deps))


def test_without_a_version_in_service_nothing_is_started(world: World) -> None:
    world.received()

    assert switch(Lookups(world.deps)) == "leave"


def test_the_start_for_a_backlog_has_the_units_of_the_settings_and_says_why(
    serving: World,
) -> None:
    serving.set(Minimum_Inference_Units="2", Maximum_Inference_Units="3")
    serving.received()

    assert switch(Lookups(serving.deps)) == "start"
    seen(serving, "v1", "STARTING")

    assert serving.rekognition.calls == [("start", "arn:v1", 2, 3)]
    (event,) = serving.events("ModelStarted")
    assert "v1 is being started: 1 or more images wait for it." in event["text"]


def test_each_attempt_is_written_with_its_version_and_units(serving: World) -> None:
    serving.received()

    switch(Lookups(serving.deps))

    attempts = serving.deps.versions.attempts()
    assert attempts is not None
    assert attempts == Attempts("v1", "1-1", 1, attempts.at)


def test_a_refused_start_keeps_the_services_reason(serving: World) -> None:
    serving.received()
    serving.rekognition.refuses_to_start = "no units left"

    switch(Lookups(serving.deps))

    attempts = serving.deps.versions.attempts()
    assert attempts is not None
    assert (attempts.count, attempts.reason) == (1, "no units left")


@pytest.mark.parametrize(
    ("message", "reason"), [("no capacity", "no capacity"), ("", "it is FAILED")]
)
def test_giving_up_names_the_attempts_and_the_reason(
    serving: World, message: str, reason: str
) -> None:
    serving.received()
    serving.rekognition.states["v1"] = VersionState("FAILED", "arn:v1", message)
    serving.deps.versions.save_attempts(Attempts("v1", "1-1", 5, serving.deps.now))

    assert switch(Lookups(serving.deps)) == "give up"

    (event,) = serving.events("ModelCannotStart")
    assert f"v1 did not start in 5 attempts: {reason}." in event["text"]
    attempts = serving.deps.versions.attempts()
    assert attempts is not None
    assert (attempts.given_up, attempts.reason) == (True, reason)


def test_the_end_of_a_stray_says_what_it_cost(serving: World) -> None:
    """Given a version that is not in service, and runs with one unit for two hours."""
    serving.use(is_billed=True)
    serving.rekognition.states["v2"] = VersionState("RUNNING", "arn:v2", units=1)
    record_hours(Lookups(serving.deps))
    serving.deps.now += timedelta(hours=2)

    stop_strays(Lookups(serving.deps))
    seen(serving, "v2", "STOPPING")

    assert [call[:2] for call in serving.rekognition.calls] == [("stop", "arn:v2")]
    (event,) = serving.events("ModelStopped")
    assert "v2 is being stopped: it is not in service. It cost about $8.0" in event["text"]


def test_the_running_hours_of_every_version_are_recorded(serving: World) -> None:
    for name, status in (("v1", ModelStatus.RUNNING), ("v2", ModelStatus.STARTING)):
        serving.rekognition.states[name] = VersionState(status, f"arn:{name}", units=2)
    record_hours(Lookups(serving.deps))
    serving.deps.now += timedelta(minutes=10)

    record_hours(Lookups(serving.deps))

    ((day, version, seconds),) = serving.deps.running.ran("2026-01")
    assert (day, version) == ("2026-01-01", "v1")
    assert seconds == pytest.approx(2 * 600, abs=5)
