"""Read images with the model in service, and record the outcome."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from loupe.adapters.executions import ExecutionFailed
from loupe.domain.detection import (
    MOST_FAILURES,
    DetectionState,
    ModelOutput,
    detection_event,
    why_unsure,
)
from loupe.domain.failures import failure_from_json
from loupe.domain.fingerprint import thumbnail
from loupe.domain.images import UnreadableImage, check_size
from loupe.domain.keys import ImageRef, timestamp
from loupe.domain.object_events import arrived_at, changed_object
from loupe.errors import AlreadyDone, NotFound, TryAgain, UnusableImage, errors_by_id
from loupe.services.payloads import image_from_json, output_from_json
from loupe.telemetry import logger
from loupe.wiring import Deps

NO_OUTPUT = ModelOutput("none")


def dispatch(body: str, deps: Deps) -> None:
    """One message of the detection queue. It may come twice; an image is read once."""
    image = changed_object(body)
    if image is None:
        logger.info("a message that needs no work", extra={"body": body[:500]})
    elif receive(image, arrived_at(body), deps):
        run_detection(image, deps)


def run_detection(image: ImageRef, deps: Deps) -> None:
    """Run the detect machine.

    After a passing fault, such as throttling, the image waits, and the housekeeping queues it
    again as often as it takes. Any other failure raises ExecutionFailed: the queue delivers the
    message again, and in the end moves it to the dead-letter queue.
    """
    try:
        deps.executions.run(deps.value("DETECT_MACHINE"), image.id, {"image": asdict(image)})
    except TryAgain as error:
        logger.warning("the image waits", extra={"image": image.key, "error": str(error)})
        reason = "Loupe's functions or a service are busy"
        record(image.id, DetectionState.WAITING, NO_OUTPUT, reason, deps)
    except ExecutionFailed as error:
        count_failure(image, f"reading it ended with {error}", deps)
        raise


def receive(image: ImageRef, at: str, deps: Deps) -> bool:
    """Create the image's record if it has none; returns whether the image is still to be read.

    `at` is when it arrived, which may be long before its message is delivered; "" if unknown.
    """
    try:
        deps.detections.receive(image, at or timestamp(deps.clock()))
    except AlreadyDone:
        return deps.detections.existing(image.id).state == DetectionState.WAITING
    return True


def count_failure(image: ImageRef, reason: str, deps: Deps) -> None:
    """Business rule: an image has failed when reading it has ended in an error MOST_FAILURES times.

    The record counts the failures, because the housekeeping sends a new message for an image that
    waits, and keeps the model running for it. The state `failed` ends both; the operator gets one
    event, and 'loupe replay' and the button Read again read the image once more.
    """
    before = deps.detections.get(image.id)
    if before is None or before.state != DetectionState.WAITING:
        return  # Another run was faster.
    failures = before.failures + 1
    state = DetectionState.FAILED if failures >= MOST_FAILURES else DetectionState.WAITING
    now = deps.clock()
    after = replace(before, failures=failures).with_output(state, NO_OUTPUT, reason, now)
    is_news = (after.state, after.reason) != (before.state, before.reason)
    try:
        event = detection_event(after, now)
        deps.detections.move(after, DetectionState.WAITING, [event] if is_news else [])
    except AlreadyDone:
        logger.info("another run was faster", extra={"image": image.key})


def detect(image: ImageRef, deps: Deps) -> ModelOutput:
    """The model's output; "rejected" for an unusable image, "no_model" before the first model."""
    try:
        check_size(image.size)
        picture = thumbnail(deps.objects.read(image.key, image.version))
    except (UnreadableImage, NotFound) as error:
        return ModelOutput("rejected", reason=str(error))
    looks = b64encode(picture).decode()
    service = deps.versions.service()
    if not service.version:
        return ModelOutput("no_model", reason="there is no model yet", thumbnail=looks)
    try:
        labels = deps.rekognition.detect(service.arn, image)
    except UnusableImage as error:
        return ModelOutput("rejected", reason=str(error))
    except NotFound as error:
        raise TryAgain(f"{service.version} was deleted from Rekognition: {error}") from error
    return ModelOutput("labels", labels, service.version, thumbnail=looks)


def record_outcome(step: Mapping[str, Any], deps: Deps) -> str:
    """Record the outcome that the detect machine hands over; returns the image's state after it.

    `step` is `{"image", "state", "answer"?, "reason"?, "error"?, "minimum"?}`.
    """
    output = output_from_json(step["answer"]) if "answer" in step else NO_OUTPUT
    reason = step.get("reason") or output.reason
    if failure := failure_from_json(step.get("error")):
        reason = f"{reason} ({failure.words})"
    state = DetectionState(step["state"])
    if state == DetectionState.UNSURE:
        reason = why_unsure(output, float(step["minimum"]))
    return record(image_from_json(step["image"]).id, state, output, reason, deps)


def record(
    image_id: str, state: DetectionState, output: ModelOutput, reason: str, deps: Deps
) -> str:
    """Move the image's record to its next state, once; a repeated run changes nothing."""
    before = deps.detections.existing(image_id)
    waits = state == DetectionState.WAITING
    if before.state != DetectionState.WAITING or (waits and before.reason == reason):
        return before.state
    now = deps.clock()
    after = before.with_output(state, output, reason, now)
    try:
        if waits:
            deps.detections.wait(after, before, [detection_event(after, now)])
        else:
            deps.detections.move(after, DetectionState.WAITING, [detection_event(after, now)])
    except AlreadyDone:
        logger.info("another run was faster", extra={"image": before.image.key})
    return state


def read_again(image_ids: Sequence[str], by: str, deps: Deps) -> dict[str, str]:
    """Queue failed and rejected images again; returns errors by image id.

    An image that waits already is skipped. The records are written before the images are queued:
    if Loupe stops in between, they wait, and the housekeeping queues them.
    """
    images: list[ImageRef] = []

    def reset(image_id: str) -> None:
        before = deps.detections.get(image_id)
        if before is None:
            raise NotFound(f"There is no image {image_id!r}; 'loupe detections --json' lists them.")
        if before.state == DetectionState.WAITING:
            return
        after, name = before.read_again(), before.image.name
        if not deps.objects.is_there(before.image):
            raise NotFound(f"{name!r} was deleted from the bucket: upload it to have it read.")
        reason = f"{by} asked for it, which was {before.state} ({before.reason})"
        event = detection_event(replace(after, reason=reason), deps.clock(), "read again")
        try:
            deps.detections.move(after, before.state, [event])
        except AlreadyDone:
            return  # Another person has just reset it, and queues it.
        images.append(before.image)

    errors = errors_by_id(image_ids, reset)
    deps.queue.send(images)
    return errors
