"""Business rule: an uploaded image gets a record and is read, once, however often it is told."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from aws_lambda_powertools.utilities.batch.exceptions import BatchProcessingError

from loupe.adapters.executions import ExecutionFailed
from loupe.domain.detection import MOST_FAILURES, DetectionState, ModelOutput
from loupe.domain.keys import ImageRef
from loupe.errors import TryAgain
from loupe.handlers.dispatch_images import handler
from loupe.services.detection import dispatch, read_again, record
from loupe.services.housekeeping import run_housekeeping
from tests.adapters.world import World, image_json, message, png, s3_event, sqs_event

HARD = ("with space.png", "plus+sign.png", "100%25.png", "a (copy).png", "für Änne/日本.png")


@pytest.fixture(autouse=True)
def process(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """The handlers of this module work in the world."""
    monkeypatch.setattr("loupe.handlers.dispatch_images.deps", lambda: world.deps)
    return lambda: None


@pytest.mark.parametrize("name", HARD)
def test_an_image_gets_a_record_and_is_read_whatever_it_is_called(world: World, name: str) -> None:
    image = world.put(f"images_for_detection/{name}", png(1))

    dispatch(message(s3_event(image)), world.deps)

    assert world.detection(image).state == DetectionState.WAITING
    assert world.detection(image).image.name == name
    assert world.executions.runs == [(image.id, {"image": image_json(image)})]


def test_an_image_was_uploaded_when_it_arrived_however_long_it_waited(world: World) -> None:
    image = world.put("images_for_detection/1.png", png(1))
    event = {**s3_event(image), "time": "2026-01-02T03:04:05Z"}

    dispatch(message(event), world.deps)

    assert world.detection(image).at == "2026-01-02T03:04:05.000Z"


def test_an_event_that_does_not_say_when_is_recorded_as_of_now(world: World) -> None:
    image = world.put("images_for_detection/1.png", png(1))

    dispatch(message({**s3_event(image), "time": ""}), world.deps)

    assert world.detection(image).at.startswith(f"{world.deps.now:%Y-%m-%dT%H:%M}")


def test_an_event_that_comes_twice_makes_one_record(world: World) -> None:
    image = world.put("images_for_detection/1.png", png(1))

    dispatch(message(s3_event(image)), world.deps)
    dispatch(message(s3_event(image)), world.deps)

    assert len(list(world.deps.detections.newest())) == 1


def test_an_image_that_was_read_is_not_read_again(world: World) -> None:
    image = world.put("images_for_detection/1.png", png(1))
    dispatch(message(s3_event(image)), world.deps)
    record(image.id, DetectionState.ACCEPTED, ModelOutput("labels", (), "v1"), "", world.deps)

    dispatch(message(s3_event(image)), world.deps)

    assert len(world.executions.runs) == 1


def test_the_same_name_uploaded_again_is_an_image_of_its_own(world: World) -> None:
    for number in (1, 2):
        image = world.put("images_for_detection/1.png", png(number))
        dispatch(message(s3_event(image)), world.deps)

    assert len(list(world.deps.detections.newest())) == 2
    assert len(world.executions.runs) == 2


def test_a_folder_marker_and_s3s_test_event_are_no_images(world: World) -> None:
    folder = world.put("images_for_detection/folder/", b"")

    dispatch(message(s3_event(folder)), world.deps)
    dispatch(message({"Service": "Amazon S3", "Event": "s3:TestEvent"}), world.deps)

    assert list(world.deps.detections.newest()) == []


def test_only_the_message_that_failed_is_tried_again(world: World) -> None:
    image = world.put("images_for_detection/1.png", png(1))

    answer: dict[str, Any] = handler(sqs_event("garbage", s3_event(image)), None)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "0"}]}
    assert len(world.executions.runs) == 1


def test_an_error_that_the_machine_does_not_know_sends_the_message_back(world: World) -> None:
    image = world.put("images_for_detection/1.png", png(1))
    world.executions.error = ExecutionFailed("FAILED: KeyError: 'labels'")

    with pytest.raises(BatchProcessingError):
        handler(sqs_event(s3_event(image)), None)

    assert world.detection(image).state == DetectionState.WAITING


def test_an_image_that_had_no_chance_waits_and_its_message_is_done_with(world: World) -> None:
    image = world.put("images_for_detection/1.png", png(1))
    world.executions.error = TryAgain("FAILED: Lambda.TooManyRequestsException: Rate exceeded")

    answer = handler(sqs_event(s3_event(image)), None)

    assert answer == {"batchItemFailures": []}
    assert world.detection(image).state == DetectionState.WAITING
    assert world.detection(image).reason == "Loupe's functions or a service are busy"


# An image that cannot be read


@pytest.fixture
def serving(world: World) -> World:
    """A version in service that runs, and stops after ten idle minutes."""
    world.set(Stop_Model_When_Idle_Minutes="10")
    world.in_service()
    world.rekognition.become("v1", "RUNNING")
    run_housekeeping(world.deps)
    return world


def tried(
    world: World, image: ImageRef, times: int, error: str = "ClientError: AccessDenied"
) -> None:
    """So many deliveries of the image, each of which ends in an unknown error."""
    world.executions.error = ExecutionFailed(error)
    for _ in range(times):
        with pytest.raises(BatchProcessingError):
            handler(sqs_event(s3_event(image)), None)


def test_an_image_that_can_never_be_read_leaves_the_circle_and_the_model_stops(
    serving: World,
) -> None:
    image = serving.put("images_for_detection/1.png", png(1))
    tried(serving, image, MOST_FAILURES)
    serving.deps.now += timedelta(minutes=11)

    done = run_housekeeping(serving.deps)

    assert (done["queued"], done["action"]) == (0, "stop")
    assert serving.detection(image).state == DetectionState.FAILED
    (told,) = serving.events("ImageFailed")
    assert "ClientError: AccessDenied" in told["text"]


def test_it_is_told_of_once_that_reading_is_tried_again(world: World) -> None:
    image = world.put("images_for_detection/1.png", png(1))

    tried(world, image, MOST_FAILURES - 1)

    assert world.detection(image).state == DetectionState.WAITING
    assert "ClientError: AccessDenied" in world.detection(image).reason
    assert len(world.events("ImageWaiting")) == 1


def test_an_image_that_failed_is_not_tried_by_a_message_that_is_left(world: World) -> None:
    image = world.put("images_for_detection/1.png", png(1))
    tried(world, image, MOST_FAILURES)

    assert handler(sqs_event(s3_event(image)), None) == {"batchItemFailures": []}


def test_an_image_that_failed_and_is_brought_back_is_tried_as_often_again(world: World) -> None:
    image = world.put("images_for_detection/1.png", png(1))
    tried(world, image, MOST_FAILURES)

    read_again([image.id], "ann", world.deps)

    tried(world, image, MOST_FAILURES - 1)
    assert world.detection(image).state == DetectionState.WAITING
    tried(world, image, 1)
    assert world.detection(image).state == DetectionState.FAILED
    assert len(world.events("ImageFailed")) == 2


def test_passing_faults_count_for_nothing_however_many(world: World) -> None:
    image = world.put("images_for_detection/1.png", png(1))
    tried(world, image, MOST_FAILURES - 1)
    world.executions.error = TryAgain("Lambda.TooManyRequestsException: Rate exceeded")

    for _ in range(MOST_FAILURES):
        handler(sqs_event(s3_event(image)), None)

    assert world.detection(image).state == DetectionState.WAITING
