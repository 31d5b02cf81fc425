"""Ask people what an image shows."""

from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any

from loupe.adapters.detections import moved
from loupe.adapters.payloads import answer_from_json, image_from_json
from loupe.adapters.reviews import take_place
from loupe.adapters.table import save
from loupe.correlation import correlated
from loupe.domain.detection import (
    REVIEW,
    WAITING,
    Answer,
    Detection,
    why_unsure,
)
from loupe.domain.events import event
from loupe.domain.loops import LoopState, loop_name
from loupe.domain.places import stamp
from loupe.domain.review import (
    COLD_START,
    OPEN,
    QUEUED,
    UNSURE,
    Review,
    is_due_again,
    review_id,
)
from loupe.errors import AlreadyDone, TryAgain
from loupe.handlers.record_detection import record
from loupe.settings import Settings
from loupe.telemetry import logger
from loupe.wiring import Deps, deps

PER_RUN = 200
"""Reviews that one run of the housekeeping opens, or starts a loop for."""
LOOPS_PER_RUN = 20
NO_LABELS_YET = "no label is known yet; set Labels or upload labelled images"


@dataclass(frozen=True)
class Request:
    """What the detect machine hands over."""

    image_id: str
    answer: Answer
    settings: Settings


@correlated
def handler(payload: dict[str, Any], context: Any) -> dict[str, Any]:
    """`{"image", "answer", "settings": {name: value}}` -> `{"state"}`."""
    request = Request(
        image_from_json(payload["image"]).id,
        answer_from_json(payload["answer"]),
        Settings.from_parameters(payload["settings"]),
    )
    return {"state": ask(request, deps())}


def ask(request: Request, deps: Deps) -> str:
    """Open a review, or leave the image waiting while there is no label to choose from."""
    labels = known_labels(request.settings, deps)
    if not labels:
        now = deps.clock()
        deps.table.write([], [event("LabelsNeeded", f"{now:%Y-%m-%d}", now)])
        return record(request.image_id, WAITING, request.answer, NO_LABELS_YET, deps)
    detection = deps.detections.get(request.image_id)
    if detection is None:
        raise LookupError(f"image {request.image_id} has no record; the dispatcher makes it first")
    if detection.state == WAITING:
        detection = open_review(detection, request, labels, deps)
    if detection.state == REVIEW:
        start_loop(deps.reviews.get(detection.review), deps)
    return detection.state


def start_loop(review: Review, deps: Deps) -> None:
    """Where Amazon A2I asks people, let it ask for an open review that has no loop.

    What cannot be started now is started by the housekeeping, which looks every minute.
    """
    if deps.loops is None or review.state != OPEN or review.loop:
        return
    name = loop_name(review)
    try:
        deps.loops.start(review, name)
    except TryAgain as error:
        logger.warning("the loop is started later", extra={"loop": name, "reason": str(error)})
        return
    try:
        deps.reviews.move(replace(review, loop=name, asked=review.asked + 1), review)
    except AlreadyDone:
        if deps.reviews.get(review.id).loop != name:
            deps.loops.stop(name)  # The review was answered or withdrawn just now.


def take_over(review: Review, deps: Deps) -> None:
    """Ask on Loupe's own page from now on: Amazon A2I's loops ended when it was switched off."""
    try:
        deps.reviews.move(replace(review, loop=""), review)
    except AlreadyDone:
        logger.info("the review was answered just now", extra={"review": review.id})


def start_loops(deps: Deps) -> int:
    """Let Amazon A2I, where it asks people, ask for open reviews that no loop stands for yet.

    Those are the ones whose loop could not be started or failed, and those from before HumanReview
    was changed to a2i. After the change back Loupe itself asks.
    """
    find = deps.reviews.without_loop if deps.loops else deps.reviews.with_loop
    reviews = list(islice(find(page=PER_RUN), PER_RUN))
    for review in reviews:
        if deps.loops:
            start_loop(review, deps)
        else:
            take_over(review, deps)
    return len(reviews)


def open_queued(settings: Settings, deps: Deps) -> int:
    """Open reviews that waited for a new day, the least sure image first."""
    day, cap = f"{deps.clock():%Y-%m-%d}", settings.reviews_per_day
    places = min(PER_RUN, deps.reviews.places_left(day, cap))
    opened = 0
    for review in islice(deps.reviews.least_sure(page=places), places) if places else ():
        after = replace(review, state=OPEN)
        try:
            deps.reviews.move(after, review, *take_place(day, cap))
        except AlreadyDone:
            if not deps.reviews.places_left(day, cap):
                break
            logger.info("somebody answers this review just now", extra={"review": review.id})
        else:
            opened += 1
            start_loop(after, deps)
    return opened


def follow_loops(deps: Deps) -> int:
    """Take up loops that have ended without a word of it reaching Loupe; some each time.

    Amazon A2I's events, like S3's, may be lost when something breaks for long.
    """
    if deps.loops is None:
        return 0
    now, pointer = deps.clock(), (deps.table.get("STATE", "LOOPS") or {}).get("pointer", "")
    found = deps.reviews.with_loop(page=LOOPS_PER_RUN, after=pointer)
    reviews = list(islice(found, LOOPS_PER_RUN))
    again = 0
    for review in reviews:
        if is_due_again(review, datetime.fromisoformat(review.at), now):
            again += _follow(review, deps.loops.state(review.loop), now, deps)
    behind = reviews[-1].position if len(reviews) == LOOPS_PER_RUN else ""
    if behind != pointer:
        deps.table.write([save({"pk": "STATE", "sk": "LOOPS", "pointer": behind})])
    return again


def _follow(review: Review, loop: LoopState, now: datetime, deps: Deps) -> bool:
    message = loop.message(review.loop)
    if message is None:
        return False
    try:
        deps.reviews.move(replace(review, handed_over=stamp(now)), review)
    except AlreadyDone:
        return False  # The answers were taken in just now.
    deps.review_queue.send(message)
    return True


def known_labels(settings: Settings, deps: Deps) -> tuple[str, ...]:
    """The labels to choose from: those of the setting, then the dataset's."""
    counts = deps.dataset.ledger().counts
    used = sorted(label for label, count in counts.items() if count.train or count.test)
    return tuple(dict.fromkeys((*settings.labels, *used)))


def open_review(
    detection: Detection, request: Request, labels: tuple[str, ...], deps: Deps
) -> Detection:
    """Write the review with its place of the day, the record and the event together; a repeated
    run changes nothing.
    """
    now = deps.clock()
    day, cap = f"{now:%Y-%m-%d}", request.settings.reviews_per_day
    has_place = deps.reviews.places_left(day, cap) > 0
    review = new_review(detection, request, labels, has_place, now)
    after = replace(
        detection,
        state=REVIEW,
        labels=request.answer.labels,
        version=request.answer.version,
        reason=review.reason,
        review=review.id,
        detected_at=stamp(now) if request.answer.version else "",
    )
    told = event(
        "ImageSentToReview",
        review.id,
        now,
        about=detection.image.id,
        image=detection.image.name,
        key=detection.image.key,
        review=review.id,
        reason=review.reason,
        labels=list(labels),
    )
    place = take_place(day, cap) if has_place else []
    try:
        deps.reviews.put_new(review, moved(after, WAITING), *place, events=[told])
    except AlreadyDone:
        if has_place and not deps.reviews.places_left(day, cap):
            return open_review(detection, request, labels, deps)  # Another took the last place.
        return deps.detections.get(request.image_id) or after
    return after


def new_review(
    detection: Detection,
    request: Request,
    labels: tuple[str, ...],
    has_place: bool,
    now: datetime,
) -> Review:
    """The task: its purpose says whether a model was asked at all."""
    asked = request.answer.outcome == "labels"
    purpose = UNSURE if asked else COLD_START
    reason = (
        why_unsure(request.answer, request.settings.minimum_confidence)
        if asked
        else request.answer.reason
    )
    return Review(
        id=review_id(detection.image, purpose),
        image=detection.image,
        purpose=purpose,
        state=OPEN if has_place else QUEUED,
        at=stamp(now),
        labels=labels,
        wanted=request.settings.reviewers,
        guess=request.answer.labels,
        guess_shown=request.settings.show_guess,
        version=request.answer.version,
        reason=reason if has_place else f"{reason}; today's number of reviews is reached",
    )
