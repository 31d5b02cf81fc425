"""Record what became of an image, with its event."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from loupe.adapters.payloads import answer_from_json, image_from_json
from loupe.correlation import correlated
from loupe.domain.detection import (
    ACCEPTED,
    FAILED,
    REJECTED,
    UNSURE,
    WAITING,
    Answer,
    Detection,
    why_unsure,
)
from loupe.domain.events import Event, event
from loupe.domain.failures import failure_from_json
from loupe.domain.places import stamp
from loupe.errors import AlreadyDone
from loupe.telemetry import logger
from loupe.wiring import Deps, deps

NO_ANSWER = Answer("none")
EVENTS = {
    ACCEPTED: "ImageAccepted",
    UNSURE: "ImageUnsure",
    REJECTED: "ImageRejected",
    WAITING: "ImageWaiting",
    FAILED: "ImageFailed",
}


@correlated
def handler(request: dict[str, Any], context: Any) -> dict[str, Any]:
    """`{"image", "state", "answer"?, "reason"?, "error"?, "minimum"?}` -> `{"state"}`."""
    image = image_from_json(request["image"])
    answer = answer_from_json(request["answer"]) if "answer" in request else NO_ANSWER
    reason = request.get("reason") or answer.reason
    if failure := failure_from_json(request.get("error")):
        reason = f"{reason} ({failure.words})"
    if request["state"] == UNSURE:
        reason = why_unsure(answer, float(request["minimum"]))
    return {"state": record(image.id, request["state"], answer, reason, deps())}


def record(image_id: str, state: str, answer: Answer, reason: str, deps: Deps) -> str:
    """Move the image's record on, once: a repeated run finds it moved and leaves it alone."""
    before = deps.detections.get(image_id)
    if before is None:
        raise LookupError(f"image {image_id} has no record; the dispatcher makes it first")
    if before.state != WAITING or (state == WAITING and before.reason == reason):
        return before.state
    after, told = decide(before, state, answer, reason, deps.clock())
    try:
        if state == WAITING:
            deps.detections.wait(after, before, [told])
        else:
            deps.detections.move(after, WAITING, [told])
    except AlreadyDone:
        logger.info("another run was faster", extra={"image": before.image.key})
    return state


def decide(
    before: Detection, state: str, answer: Answer, reason: str, now: datetime
) -> tuple[Detection, Event]:
    """The record after, and the event that tells of it."""
    after = replace(
        before,
        state=state,
        labels=answer.labels,
        version=answer.version,
        reason=reason,
        detected_at=stamp(now) if answer.version else "",
    )
    top = answer.labels[0].name if answer.labels else "nothing"
    told = event(
        EVENTS[state],
        # An image may wait for the same reason as before once more.
        f"{before.attempt}/{stamp(now) if state == WAITING else state}",
        now,
        about=before.image.id,
        image=before.image.name,
        key=before.image.key,
        label=top,
        labels=[label.as_json() for label in answer.labels[:5]],
        version=answer.version,
        reason=reason,
    )
    return after, told
