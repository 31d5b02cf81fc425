"""Business rule: alarms and the dashboard see what waits, what bills, and what went wrong."""

import json
from datetime import timedelta
from typing import Any

import pytest

from loupe.adapters.rekognition import VersionState
from loupe.domain.versions import VersionStatus
from loupe.services.events import publish
from loupe.services.housekeeping import run_housekeeping
from loupe.telemetry import METERED_EVENTS
from tests.adapters.world import World
from tests.template.reading import STACK


@pytest.fixture
def metrics(capsys: pytest.CaptureFixture[str]) -> Any:
    """Returns `{metric: value}` of what was written to the log since the last call."""

    def read() -> dict[str, float]:
        lines = [line for line in capsys.readouterr().out.splitlines() if "_aws" in line]
        written = [json.loads(line) for line in lines]
        assert all(metric["stack"] == STACK for metric in written)
        return {
            definition["Name"]: metric[definition["Name"]][0]
            for metric in written
            for definition in metric["_aws"]["CloudWatchMetrics"][0]["Metrics"]
        }

    return read


@pytest.fixture
def serving(world: World) -> World:
    """A version in service that runs with two inference units, and one that is stopped."""
    world.in_service()
    world.version("v2", VersionStatus.NOT_BETTER, arn="arn:v2")
    world.rekognition.states |= {
        "v1": VersionState("RUNNING", "arn:v1", units=2),
        "v2": VersionState("STOPPED", "arn:v2", units=5),
    }
    return world


def test_the_hours_that_the_oldest_review_waits_are_measured(world: World, metrics: Any) -> None:
    world.set(Labels="cat,dog")
    world.asked(name="1.png", picture=1)
    world.deps.now += timedelta(hours=3)
    world.asked(name="2.png", picture=2)
    world.deps.now += timedelta(hours=2)

    run_housekeeping(world.deps)

    assert metrics()["OldestReviewHours"] == pytest.approx(5, abs=0.1)


def test_without_a_review_nothing_waits(world: World, metrics: Any) -> None:
    run_housekeeping(world.deps)

    assert metrics()["OldestReviewHours"] == 0


def test_images_that_wait_for_a_stopped_model_are_counted(serving: World, metrics: Any) -> None:
    serving.received("1.png")
    serving.received("2.png")
    serving.rekognition.become("v1", "STOPPED")

    run_housekeeping(serving.deps)

    assert metrics()["ImagesWaitingForModel"] == 2


def test_images_of_a_model_that_runs_do_not_wait_for_it(serving: World, metrics: Any) -> None:
    serving.received("1.png")

    run_housekeeping(serving.deps)

    assert metrics()["ImagesWaitingForModel"] == 0


def test_before_the_first_model_no_image_waits_for_it(world: World, metrics: Any) -> None:
    world.received("1.png")

    run_housekeeping(world.deps)

    assert metrics()["ImagesWaitingForModel"] == 0


def test_the_inference_units_of_models_that_run_are_summed(serving: World, metrics: Any) -> None:
    run_housekeeping(serving.deps)

    assert metrics()["InferenceUnits"] == 2


@pytest.mark.parametrize("kind", METERED_EVENTS)
def test_an_event_that_the_dashboard_shows_is_counted(
    world: World, metrics: Any, kind: str
) -> None:
    world.use(publisher=Published())

    publish(event(kind), world.deps)

    assert metrics() == {kind: 1}


def test_other_events_are_published_without_a_metric(world: World, metrics: Any) -> None:
    publisher = Published()
    world.use(publisher=publisher)

    publish(event("ExampleRejected"), world.deps)

    assert publisher.events == [event("ExampleRejected")]
    assert metrics() == {}


def event(kind: str) -> dict[str, Any]:
    """An event as subscribers get it."""
    return {"id": "1", "type": kind, "at": "", "subject": "", "text": "", "detail": {}}


class Published:
    """Keeps what is published."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def publish(self, event: dict[str, Any]) -> None:
        self.events.append(event)
