"""Amazon A2I, where it asks people: the human loops of reviews."""

from dataclasses import replace
from datetime import datetime
from itertools import islice

from loupe.domain.human_loops import LoopState, loop_name
from loupe.domain.keys import timestamp
from loupe.domain.review import Review, ReviewState, is_due_again
from loupe.errors import AlreadyDone, TryAgain
from loupe.telemetry import logger
from loupe.wiring import Deps

PER_RUN = 200
"""Reviews that one run of the housekeeping opens, or starts a loop for."""
LOOPS_PER_RUN = 20
LOOPS = "LOOPS"


def start_loop(review: Review, deps: Deps) -> None:
    """Where Amazon A2I asks people, let it ask for an open review that has no loop.

    What cannot be started now is started by the housekeeping, which looks every minute.
    """
    if deps.loops is None or review.state != ReviewState.OPEN or review.loop:
        return
    name = loop_name(review)
    try:
        deps.loops.start(review, name)
    except TryAgain as error:
        logger.warning("the loop is started later", extra={"loop": name, "reason": str(error)})
        return
    try:
        deps.reviews.move(
            replace(review, loop=name, loops_started=review.loops_started + 1), review
        )
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


def follow_loops(deps: Deps) -> int:
    """Take up loops that have ended without a word of it reaching Loupe; some each time.

    Amazon A2I's events, like S3's, may be lost when something breaks for long.
    """
    if deps.loops is None:
        return 0
    now, pointer = deps.clock(), deps.pointers.get(LOOPS, {"pointer": ""})["pointer"]
    found = deps.reviews.with_loop(page=LOOPS_PER_RUN, after=pointer)
    reviews = list(islice(found, LOOPS_PER_RUN))
    again = 0
    for review in reviews:
        if is_due_again(review, datetime.fromisoformat(review.at), now):
            again += _follow(review, deps.loops.state(review.loop), now, deps)
    behind = reviews[-1].sort_key if len(reviews) == LOOPS_PER_RUN else ""
    if behind != pointer:
        deps.pointers.save(LOOPS, {"pointer": behind})
    return again


def _follow(review: Review, loop: LoopState, now: datetime, deps: Deps) -> bool:
    message = loop.message(review.loop)
    if message is None:
        return False
    try:
        deps.reviews.move(replace(review, handed_over=timestamp(now)), review)
    except AlreadyDone:
        return False  # The answers were taken in just now.
    deps.review_queue.send(message)
    return True
