"""The first model reads again what people were asked about while there was none."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from loupe.adapters.detections import moved
from loupe.domain.detection import DetectionState
from loupe.domain.keys import timestamp
from loupe.domain.review import Review, ReviewPurpose, ReviewState
from loupe.errors import AlreadyDone
from loupe.services.lookups import Lookups
from loupe.telemetry import (
    logger,
)
from loupe.wiring import Deps

COLD_START_REVIEWS = "COLD_START"
REVIEWS_PER_RUN = 500
PAGE = 100
LATE = timedelta(minutes=15)
"""So long after the first model took over, an image that it was not asked about may still go to
review: its state machine had begun before."""


def withdraw_cold_start(now: Lookups) -> None:
    """Business rule: the first model reads again what no person has looked at yet.

    The reviews of that time are gone through once, queued ones first because they may be opened
    meanwhile. What was written in the last minutes is gone through again until all is in order.
    """
    done = now.deps.pointers.get(
        COLD_START_REVIEWS, {ReviewState.QUEUED: "", ReviewState.OPEN: "", "done": False}
    )
    if not now.service.version or done["done"]:
        return
    clock = now.deps.clock()
    at_end = all(
        _withdraw_from(state, done, clock, now.deps)
        for state in (ReviewState.QUEUED, ReviewState.OPEN)
    )
    finished = at_end and clock - datetime.fromisoformat(now.service.since) >= LATE
    now.deps.pointers.save(COLD_START_REVIEWS, {**done, "done": finished})


def _withdraw_from(
    state: ReviewState, pointers: dict[str, Any], clock: datetime, deps: Deps
) -> bool:
    """Go on behind the state's pointer and move it; returns whether the end was reached."""
    reviews = list(islice(deps.reviews.oldest(state, pointers[state], PAGE), REVIEWS_PER_RUN))
    for review in reviews:
        if review.purpose == ReviewPurpose.COLD_START and not review.answers:
            _withdraw(review, deps)
    if reviews:
        pointers[state] = min(reviews[-1].sort_key, timestamp(clock - LATE))
    return len(reviews) < REVIEWS_PER_RUN


def _withdraw(review: Review, deps: Deps) -> None:
    detection = deps.detections.get(review.image.id)
    if detection is None:
        raise LookupError(f"image {review.image.id} of review {review.id} has no record")
    waits = replace(
        detection, state=DetectionState.WAITING, review="", reason="the first model reads it"
    )
    try:
        deps.reviews.move(
            replace(review, state=ReviewState.WITHDRAWN),
            review,
            moved(waits, DetectionState.REVIEW),
        )
    except AlreadyDone:
        logger.info("somebody answers this review just now", extra={"review": review.id})
        return
    if deps.loops and review.loop:
        deps.loops.stop(review.loop)
