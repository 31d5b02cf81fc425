"""Business rule: what becomes of an image is written once, with its event."""

from dataclasses import replace
from typing import Any

import pytest

from loupe.domain.detection import DetectionState, Label, ModelOutput
from loupe.errors import AlreadyDone, TryAgain
from loupe.handlers import record_detection
from loupe.services.detection import NO_OUTPUT, detect, record
from loupe.services.payloads import output_to_json
from tests.adapters.world import World, gone, image_json, png, thumbnail_of, unusable

SURE = ModelOutput("labels", (Label("cat", 93.0), Label("dog", 5.0)), "v1")


# Recording


def test_a_state_is_written_with_all_labels_and_its_event(world: World) -> None:
    image = world.received("a b+ü.png")

    record(image.id, DetectionState.ACCEPTED, SURE, "", world.deps)

    found = world.detection(image)
    assert (found.state, found.version, found.labels) == (
        DetectionState.ACCEPTED,
        "v1",
        SURE.labels,
    )
    (told,) = world.events("ImageAccepted")
    assert told["subject"] == "a b+ü.png: cat"
    assert told["detail"]["labels"][1]["name"] == "dog"


def test_recording_twice_writes_and_tells_once(world: World) -> None:
    image = world.received()

    record(image.id, DetectionState.ACCEPTED, SURE, "", world.deps)
    state = record(image.id, DetectionState.UNSURE, SURE, "late", world.deps)

    assert state == DetectionState.ACCEPTED
    assert len(world.events()) == 1


def test_a_record_moves_only_from_the_states_that_are_named(world: World) -> None:
    before = world.detection(world.received())

    with pytest.raises(AlreadyDone):
        world.deps.detections.move(
            replace(before, state=DetectionState.ACCEPTED), DetectionState.REVIEW
        )

    assert world.detection(before.image).state == DetectionState.WAITING


@pytest.mark.parametrize(
    ("state", "kind"),
    [(DetectionState.REJECTED, "ImageRejected"), (DetectionState.FAILED, "ImageFailed")],
)
def test_an_image_that_cannot_be_read_has_a_record_that_says_why(
    world: World, state: DetectionState, kind: str
) -> None:
    image = world.received()

    record(image.id, state, NO_OUTPUT, "the reason", world.deps)

    assert world.detection(image).reason == "the reason"
    assert "the reason" in world.events(kind)[0]["text"]


def test_waiting_is_told_once_for_a_reason_and_again_for_another(world: World) -> None:
    image = world.received()

    for reason in ("busy", "busy", "no model", "busy"):
        record(image.id, DetectionState.WAITING, NO_OUTPUT, reason, world.deps)

    reasons = [e["detail"]["reason"] for e in world.events("ImageWaiting")]
    assert sorted(reasons) == ["busy", "busy", "no model"]


def test_two_runs_at_once_tell_once_why_an_image_waits(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = world.detection(world.received())
    monkeypatch.setattr(world.deps.detections, "get", lambda _id: before)

    for _ in range(2):
        record(before.image.id, DetectionState.WAITING, NO_OUTPUT, "busy", world.deps)

    assert len(world.events("ImageWaiting")) == 1


def test_the_handler_says_why_an_image_is_unsure(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loupe.handlers.record_detection.deps", lambda: world.deps)
    image = world.received()
    request: dict[str, Any] = {
        "image": image_json(image),
        "state": DetectionState.UNSURE,
        "answer": output_to_json(ModelOutput("labels", (Label("cat", 40.0),), "v1")),
        "minimum": "70",
    }

    assert record_detection.handler(request, None) == {"state": DetectionState.UNSURE}
    assert "below the minimum of 70 %" in world.detection(image).reason


def test_images_are_listed_by_state_and_by_time(world: World) -> None:
    first, second = world.received("1.png", 1), world.received("2.png", 2)
    record(first.id, DetectionState.ACCEPTED, SURE, "", world.deps)

    detections = world.deps.detections
    assert [d.image.name for d in detections.newest()] == ["2.png", "1.png"]
    assert [d.image for d in detections.newest(DetectionState.ACCEPTED)] == [first]
    assert [d.image for d in detections.waiting()] == [second]


def test_what_a_model_read_is_listed_behind_a_pointer(world: World) -> None:
    images = [world.accepted(f"{n}.png") for n in range(3)]
    world.received("unread.png", 9)

    read = list(world.deps.detections.read_since(""))
    behind = world.deps.detections.read_since(read[0][0])

    assert [d.image for _, d in read] == images
    assert [d.image for _, d in behind] == images[1:]
    assert world.deps.detections.last_read_at() == read[-1][1].detected_at


# Reading


def test_before_the_first_model_the_answer_is_that_there_is_none(world: World) -> None:
    assert detect(world.received(), world.deps).outcome == "no_model"


def test_the_model_in_service_is_asked(world: World) -> None:
    version = world.version(arn="arn:v1")
    service = world.deps.versions.service()
    world.deps.versions.promote(version, service, "2026-01-01T00:00:00.000Z", "", [])
    world.rekognition.answers = lambda _arn, _image: SURE.labels

    found = detect(world.received(), world.deps)

    assert found == replace(SURE, thumbnail=thumbnail_of(0))
    assert world.rekognition.calls[-1][:2] == ("detect", "arn:v1")


def test_before_the_first_model_an_image_is_looked_at_too(world: World) -> None:
    found = detect(world.received(), world.deps)

    assert (found.outcome, found.thumbnail) == ("no_model", thumbnail_of(0))


def test_an_empty_answer_is_no_crash(world: World) -> None:
    version = world.version(arn="arn:v1")
    service = world.deps.versions.service()
    world.deps.versions.promote(version, service, "2026-01-01T00:00:00.000Z", "", [])

    found = detect(world.received(), world.deps)

    assert (found.outcome, found.labels) == ("labels", ())


@pytest.mark.parametrize("body", [b"", b"no image", png(1)[:60]], ids=["empty", "text", "cut off"])
def test_a_file_that_is_no_image_is_rejected_with_the_reason(world: World, body: bytes) -> None:
    image = world.put("images_for_detection/1.png", body)

    found = detect(image, world.deps)

    assert found.outcome == "rejected"
    assert found.reason


def test_a_file_that_is_too_large_is_rejected_without_being_fetched(world: World) -> None:
    image = replace(world.received(), size=16 * 2**20)

    found = detect(image, world.deps)

    assert found.outcome == "rejected"
    assert "16.0 MB" in found.reason


def test_an_image_removed_before_its_turn_is_still_read_by_its_version(world: World) -> None:
    image = world.received()
    world.remove(image.key)

    assert detect(image, world.deps).outcome == "no_model"


def test_an_image_that_is_gone_for_good_is_rejected(world: World) -> None:
    image = world.received()
    world.s3.delete_object(Bucket=image.bucket, Key=image.key, VersionId=image.version)

    assert detect(image, world.deps).outcome == "rejected"


def test_what_the_service_cannot_read_is_rejected_and_without_its_version_it_waits(
    world: World,
) -> None:
    version = world.version(arn="arn:v1")
    service = world.deps.versions.service()
    world.deps.versions.promote(version, service, "2026-01-01T00:00:00.000Z", "", [])
    image = world.received()

    world.rekognition.answers = unusable
    assert detect(image, world.deps).outcome == "rejected"

    world.rekognition.answers = gone
    with pytest.raises(TryAgain, match="v1 was deleted"):
        detect(image, world.deps)


def test_a_busy_model_is_a_passing_error(world: World) -> None:
    version = world.version(arn="arn:v1")
    service = world.deps.versions.service()
    world.deps.versions.promote(version, service, "2026-01-01T00:00:00.000Z", "", [])

    def busy(_arn: str, _image: object) -> tuple[Label, ...]:
        raise TryAgain("ThrottlingException: slow down")

    world.rekognition.answers = busy

    with pytest.raises(TryAgain):
        detect(world.received(), world.deps)
