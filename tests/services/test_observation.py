"""Business rule: what the model says in production is followed, and a change of it is told."""

from datetime import timedelta

import pytest

from loupe.domain.comparison import Prediction
from loupe.domain.detection import DetectionState, Label, ModelOutput
from loupe.domain.keys import timestamp
from loupe.domain.labelled_images import Split
from loupe.domain.manifest import ManifestEntry, render
from loupe.domain.observation import Observation, begin
from loupe.services.housekeeping import run_housekeeping
from loupe.services.observation import images_a_day, observe_readings
from loupe.services.training_data import manifest_key
from loupe.services.version_report import accuracy_lines
from tests.adapters.world import World

SURE, UNSURE = 92.0, 40.0


def entry(number: int) -> ManifestEntry:
    return ManifestEntry(
        f"s3://bucket/{number}.png",
        "cat",
        f"content {number}",
        "uploaded",
        "2026-01-01T00:00:00.000Z",
    )


@pytest.fixture
def serving(world: World) -> World:
    """Version v1 in service: of 40 holdout images it is right where it is sure."""
    world.in_service()
    holdout = [entry(number) for number in range(40)]
    key = manifest_key("v1", Split.TEST)
    world.put(key, render(holdout).encode())
    for number, image in enumerate(holdout):
        sure = number % 4 > 0
        prediction = Prediction("cat" if sure else "dog", SURE - number / 100 if sure else UNSURE)
        world.deps.versions.save_prediction("v1", image.content, prediction)
    return world


def read(world: World, count: int, confidence: float, start: int = 0) -> None:
    """The model reads images with about this confidence."""
    for number in range(start, start + count):
        image = world.received(f"{number}.png")
        label = Label("cat", confidence + number % 7 / 10)
        output = ModelOutput("labels", (label,), "v1")
        state = DetectionState.ACCEPTED
        world.deps.detections.move(
            world.detection(image).with_output(state, output, "", world.deps.clock()),
            DetectionState.WAITING,
        )


def test_each_reading_is_looked_at_once(serving: World) -> None:
    read(serving, 3, SURE)

    assert observe_readings(serving.settings(), serving.deps) == 3
    assert observe_readings(serving.settings(), serving.deps) == 0

    observation = serving.deps.observations.of("v1")
    assert observation is not None
    assert observation.read == 3
    assert [reading.image for reading in observation.recent] == ["0.png", "1.png", "2.png"]


def test_a_shift_is_told_once_with_what_to_look_at_and_starts_a_training_check(
    serving: World,
) -> None:
    read(serving, 50, UNSURE)

    for _ in range(2):
        observe_readings(serving.settings(), serving.deps)

    (event,) = serving.events("DriftSuspected")
    assert event["detail"]["reference"] == "the holdout"
    assert event["detail"]["images"][0] == "0.png"
    assert event["detail"]["labels"] == ["cat 100 %"]
    assert event["detail"]["since"] == serving.deps.observations.of("v1").window[0].at  # type: ignore[union-attr]
    assert serving.executions.started == ["arn:improve"]


def test_without_a_shift_nothing_is_told(serving: World) -> None:
    read(serving, 60, SURE)

    observe_readings(serving.settings(), serving.deps)

    assert serving.events("DriftSuspected") == []
    assert serving.executions.started == []


def test_where_training_is_off_a_shift_is_told_and_no_more(serving: World) -> None:
    serving.set(Enable_Automatic_Training="false")
    read(serving, 50, UNSURE)

    observe_readings(serving.settings(), serving.deps)

    assert len(serving.events("DriftSuspected")) == 1
    assert serving.executions.started == []


def test_the_housekeeping_follows_what_is_read(serving: World) -> None:
    read(serving, 1, SURE)

    run_housekeeping(serving.deps)

    assert serving.deps.observations.of("v1") is not None


def test_accuracy_in_production_is_said_by_each_way_alone(serving: World) -> None:
    read(serving, 10, SURE)
    observe_readings(serving.settings(), serving.deps)
    version = serving.deps.versions.save(
        serving.deps.versions.get("v1"),
        samples=40,
        samples_agreed=38,
        reports=4,
        reports_confirmed=3,
    )

    lines = {line["name"]: line["value"] for line in accuracy_lines(version, serving.deps)}

    assert lines["Right, by quality samples"].startswith("95 % of 40 (with 95 % certainty 83 %")
    assert lines["Wrong, of what was reported"].startswith("75 % of 4 ")
    assert lines["Reported, of what it has read"] == "4 of 10 images"
    assert lines["Right, as its confidences promise"] == "96 % of its last 10 images"


def test_of_what_is_not_known_nothing_is_said(world: World) -> None:
    version = world.version("v1")

    assert accuracy_lines(version, world.deps) == []


def test_the_traffic_is_that_of_the_version_in_service(serving: World) -> None:
    assert images_a_day(serving.deps) == 0.0
    began = timestamp(serving.deps.now - timedelta(days=4))
    serving.deps.observations.write(Observation("v1", began, read=100))

    assert images_a_day(serving.deps) == pytest.approx(25.0, abs=0.1)


def test_a_version_without_a_holdout_is_followed_all_the_same(world: World) -> None:
    world.in_service()
    read(world, 2, SURE)

    observe_readings(world.settings(), world.deps)

    observation = world.deps.observations.of("v1")
    assert observation is not None
    assert observation.estimate is None
    assert observation.holdout == ()


def test_a_holdout_says_how_right_a_confidence_is() -> None:
    predictions = {"content 1": Prediction("cat", 90.0), "content 2": Prediction("dog", 40.0)}

    observation = begin("v1", "2026", [entry(1), entry(2), entry(3)], predictions)

    assert observation.calibration.right(90.0) > 0.9
    assert observation.calibration.right(40.0) < 0.4
    assert observation.holdout == (90.0, 40.0)
