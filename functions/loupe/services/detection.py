"""Read images with the model in service, and record what became of them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from loupe.adapters.executions import ExecutionFailed
from loupe.domain.detection import MOST_FAILURES, Detection, DetectionState, ModelOutput, why_unsure
from loupe.domain.events import Event, make_event
from loupe.domain.failures import failure_from_json
from loupe.domain.images import UnreadableImage, check_image, check_size
from loupe.domain.keys import ImageRef, timestamp
from loupe.domain.object_events import arrived_at, changed_object
from loupe.errors import AlreadyDone, LoupeError, NotFound, TryAgain, UnusableImage
from loupe.services.payloads import image_from_json, output_from_json
from loupe.telemetry import logger
from loupe.wiring import Deps

NO_OUTPUT = ModelOutput("none")
EVENTS = {
    DetectionState.ACCEPTED: "ImageAccepted",
    DetectionState.UNSURE: "ImageUnsure",
    DetectionState.REJECTED: "ImageRejected",
    DetectionState.WAITING: "ImageWaiting",
    DetectionState.FAILED: "ImageFailed",
}


def dispatch(body: str, deps: Deps) -> None:
    """One message of the detection queue: at least once delivery, so an image that has been read
    is left alone.
    """
    image = changed_object(body)
    if image is None:
        logger.info("a message that needs no work", extra={"body": body[:500]})
        return
    if receive(image, arrived_at(body), deps):
        run_detection(image, deps)


def run_detection(image: ImageRef, deps: Deps) -> None:
    """Run the detect machine; raises ExecutionFailed when it takes too long or ends with an error
    that it does not know, so that the message is tried again and ends among the dead letters.

    An image that met a passing fault, such as throttling, waits: the housekeeping queues it again,
    without an end.
    """
    try:
        deps.executions.run(deps.value("DETECT_MACHINE"), image.id, {"image": asdict(image)})
    except TryAgain as error:
        logger.warning("the image waits", extra={"image": image.key, "error": str(error)})
        record(
            image.id,
            DetectionState.WAITING,
            NO_OUTPUT,
            "Loupe's functions or a service are busy",
            deps,
        )
    except ExecutionFailed as error:
        count_failure(image, f"reading it ended with {error}", deps)
        raise


def receive(image: ImageRef, at: str, deps: Deps) -> bool:
    """Make sure that the image has a record; returns whether it is still to be read.

    `at` is when it arrived, which may be long before its message is worked on; "" if unknown.
    """
    try:
        deps.detections.receive(image, at or timestamp(deps.clock()))
    except AlreadyDone:
        known = deps.detections.get(image.id)
        return known is not None and known.state == DetectionState.WAITING
    return True


def count_failure(image: ImageRef, reason: str, deps: Deps) -> None:
    """Business rule: an image whose reading ends badly time and again has failed.

    The record counts, not the message: as long as an image waits, the housekeeping makes new
    messages for it, and the model runs. `failed` is the state that ends both, that the operator is
    event of once, and that 'loupe replay' and the button Read again bring back.
    """
    before = deps.detections.get(image.id)
    if before is None or before.state != DetectionState.WAITING:
        return  # Another run was faster.
    failing = replace(before, failures=before.failures + 1)
    state = DetectionState.FAILED if failing.failures >= MOST_FAILURES else DetectionState.WAITING
    after, event = decide(failing, state, NO_OUTPUT, reason, deps.clock())
    is_news = (after.state, after.reason) != (before.state, before.reason)
    try:
        deps.detections.move(after, DetectionState.WAITING, [event] if is_news else [])
    except AlreadyDone:
        logger.info("another run was faster", extra={"image": image.key})


def detect(image: ImageRef, deps: Deps) -> ModelOutput:
    """The model's answer; "rejected" for what is no usable image, "no_model" before the first."""
    try:
        check_size(image.size)
        check_image(deps.objects.read(image.key, image.version))
    except (UnreadableImage, NotFound) as error:
        return ModelOutput("rejected", reason=str(error))
    service = deps.versions.service()
    if not service.version:
        return ModelOutput("no_model", reason="there is no model yet")
    try:
        labels = deps.rekognition.detect(service.arn, image)
    except UnusableImage as error:
        return ModelOutput("rejected", reason=str(error))
    except NotFound as error:
        raise TryAgain(f"{service.version} was deleted from Rekognition: {error}") from error
    return ModelOutput("labels", labels, service.version)


def record_outcome(step: Mapping[str, Any], deps: Deps) -> str:
    """What the detect machine says of an image, in words; returns the state it is in then.

    `step` is `{"image", "state", "answer"?, "reason"?, "error"?, "minimum"?}`.
    """
    answer = output_from_json(step["answer"]) if "answer" in step else NO_OUTPUT
    reason = step.get("reason") or answer.reason
    if failure := failure_from_json(step.get("error")):
        reason = f"{reason} ({failure.words})"
    state = DetectionState(step["state"])
    if state == DetectionState.UNSURE:
        reason = why_unsure(answer, float(step["minimum"]))
    return record(image_from_json(step["image"]).id, state, answer, reason, deps)


def record(
    image_id: str, state: DetectionState, answer: ModelOutput, reason: str, deps: Deps
) -> str:
    """Move the image's record on, once: a repeated run finds it moved and leaves it alone."""
    before = deps.detections.get(image_id)
    if before is None:
        raise LookupError(f"image {image_id} has no record; the dispatcher makes it first")
    if before.state != DetectionState.WAITING or (
        state == DetectionState.WAITING and before.reason == reason
    ):
        return before.state
    after, event = decide(before, state, answer, reason, deps.clock())
    try:
        if state == DetectionState.WAITING:
            deps.detections.wait(after, before, [event])
        else:
            deps.detections.move(after, DetectionState.WAITING, [event])
    except AlreadyDone:
        logger.info("another run was faster", extra={"image": before.image.key})
    return state


def decide(
    before: Detection, state: DetectionState, answer: ModelOutput, reason: str, now: datetime
) -> tuple[Detection, Event]:
    """The record after, and the event that tells of it."""
    after = replace(
        before,
        state=state,
        labels=answer.labels,
        version=answer.version,
        reason=reason,
        detected_at=timestamp(now) if answer.version else "",
    )
    top = answer.labels[0].name if answer.labels else "nothing"
    event = make_event(
        EVENTS[state],
        # An image may wait for the same reason as before once more.
        f"{before.attempt}/{timestamp(now) if state == DetectionState.WAITING else state}",
        now,
        about=before.image.id,
        image=before.image.name,
        key=before.image.key,
        label=top,
        labels=[label.as_json() for label in answer.labels[:5]],
        version=answer.version,
        reason=reason,
    )
    return after, event


def read_again(image_ids: Sequence[str], by: str, deps: Deps) -> dict[str, str]:
    """Bring failed and rejected images back to be read; returns why not, by image id.

    An image that waits already is left alone. The records are written before the images are
    queued: what a crash leaves between the two waits, and the housekeeping queues it.
    """
    refused: dict[str, str] = {}
    waiting: list[ImageRef] = []
    for image_id in dict.fromkeys(image_ids):
        try:
            waiting += _bring_back(image_id, by, deps)
        except LoupeError as error:
            refused[image_id] = str(error)
    deps.queue.send(waiting)
    return refused


def _bring_back(image_id: str, by: str, deps: Deps) -> list[ImageRef]:
    before = deps.detections.get(image_id)
    if before is None:
        raise NotFound(f"There is no image {image_id!r}; 'loupe detections --json' lists them.")
    if before.state == DetectionState.WAITING:
        return []
    after = before.read_again()
    if not deps.objects.is_there(before.image):
        raise NotFound(
            f"{before.image.name!r} was deleted from the bucket: upload it to have it read."
        )
    asked = make_event(
        "ImageWaiting",
        f"{after.attempt}/read again",
        deps.clock(),
        about=before.image.id,
        image=before.image.name,
        key=before.image.key,
        label="nothing",
        labels=[],
        version="",
        reason=f"{by} asked for it, which was {before.state} ({before.reason})",
    )
    try:
        deps.detections.move(after, before.state, [asked])
    except AlreadyDone:
        return []  # Somebody else asked for it just now, and queues it.
    return [before.image]
