"""Withdraw the reviews from before the first model, so that the model reads their images."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from loupe.adapters.detections import moved
from loupe.domain.detection import DetectionState
from loupe.domain.keys import timestamp
from loupe.domain.review import Review, ReviewPurpose, ReviewState
from loupe.services.lookups import Lookups
from loupe.wiring import Deps

COLD_START_REVIEWS = "COLD_START"
REVIEWS_PER_RUN = 500
PAGE = 100
LATE = timedelta(minutes=15)
"""Time after the first promotion in which an image may still go to review unread, because its state
machine started before."""


def withdraw_cold_start(run: Lookups) -> None:
    """Business rule: the first model reads every image that no person has answered yet.

    The runs go through the reviews once, queued ones first, because these may be opened meanwhile.
    They go through the reviews of the last minutes again until LATE is over.
    """
    deps = run.deps
    pointers = deps.pointers.get(
        COLD_START_REVIEWS, {ReviewState.QUEUED: "", ReviewState.OPEN: "", "done": False}
    )
    if not run.service.version or pointers["done"]:
        return
    now = deps.clock()
    at_end = all(
        _withdraw_from(state, pointers, now, deps)
        for state in (ReviewState.QUEUED, ReviewState.OPEN)
    )
    done = at_end and now - datetime.fromisoformat(run.service.since) >= LATE
    deps.pointers.save(COLD_START_REVIEWS, {**pointers, "done": done})


def _withdraw_from(state: ReviewState, pointers: dict[str, Any], now: datetime, deps: Deps) -> bool:
    """Continue behind the state's pointer and move it; returns whether the end is reached."""
    reviews = list(islice(deps.reviews.oldest(state, pointers[state], PAGE), REVIEWS_PER_RUN))
    for review in reviews:
        if review.purpose == ReviewPurpose.COLD_START and not review.answers:
            _withdraw(review, deps)
    if reviews:
        pointers[state] = min(reviews[-1].sort_key, timestamp(now - LATE))
    return len(reviews) < REVIEWS_PER_RUN


def _withdraw(review: Review, deps: Deps) -> None:
    waiting = replace(
        deps.detections.existing(review.image.id),
        state=DetectionState.WAITING,
        review="",
        reason="the first model reads it",
    )
    withdrawn = replace(review, state=ReviewState.WITHDRAWN)
    is_written = deps.reviews.try_move(withdrawn, review, moved(waiting, DetectionState.REVIEW))
    if is_written and deps.loops and review.loop:
        deps.loops.stop(review.loop)
