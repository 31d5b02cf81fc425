"""The human loops of Amazon A2I, where it asks the reviewers."""

from dataclasses import replace
from datetime import datetime
from itertools import islice

from loupe.domain.human_loops import LoopState, loop_name
from loupe.domain.keys import timestamp
from loupe.domain.review import Review, ReviewState, is_due_again
from loupe.errors import TryAgain
from loupe.telemetry import logger
from loupe.wiring import Deps

PER_RUN = 200
"""Reviews that one housekeeping run opens, or starts a loop for."""
LOOPS_PER_RUN = 20
LOOPS = "LOOPS"


def start_loop(review: Review, deps: Deps) -> None:
    """Start a human loop for an open review that has none, where Amazon A2I asks the reviewers.

    The housekeeping looks every minute and starts what cannot be started now.
    """
    if deps.loops is None or review.state != ReviewState.OPEN or review.loop:
        return
    name = loop_name(review)
    try:
        deps.loops.start(review, name)
    except TryAgain as error:
        logger.warning("the loop is started later", extra={"loop": name, "reason": str(error)})
        return
    after = replace(review, loop=name, loops_started=review.loops_started + 1)
    if not deps.reviews.try_move(after, review) and deps.reviews.get(review.id).loop != name:
        deps.loops.stop(name)  # Meanwhile the review was answered or withdrawn.


def start_loops(deps: Deps) -> int:
    """Start a human loop for every open review without one, where Amazon A2I asks the reviewers.

    Those are reviews whose loop failed or could not be started, and those from before HumanReview
    became a2i. When it becomes builtin again, Loupe takes over the reviews of all loops.
    """
    listed = (
        deps.reviews.by_rank(ReviewState.OPEN, page=PER_RUN)
        if deps.loops
        else deps.reviews.with_loop(page=PER_RUN)
    )
    reviews = list(islice(listed, PER_RUN))
    for review in reviews:
        if deps.loops:
            start_loop(review, deps)
        else:
            deps.reviews.try_move(replace(review, loop=""), review)
    return len(reviews)


def follow_loops(deps: Deps) -> int:
    """Find loops that have ended although their event never arrived, a part of them each time.

    Amazon A2I's events, like S3's, may be lost in a long outage.
    """
    if deps.loops is None:
        return 0
    now, pointer = deps.clock(), deps.pointers.get(LOOPS, {"pointer": ""})["pointer"]
    with_loop = deps.reviews.with_loop(page=LOOPS_PER_RUN, after=pointer)
    reviews = list(islice(with_loop, LOOPS_PER_RUN))
    again = 0
    for review in reviews:
        if is_due_again(review, datetime.fromisoformat(review.at), now):
            again += _follow(review, deps.loops.state(review.loop), now, deps)
    last = reviews[-1].sort_key if len(reviews) == LOOPS_PER_RUN else ""
    if last != pointer:
        deps.pointers.save(LOOPS, {"pointer": last})
    return again


def _follow(review: Review, loop: LoopState, now: datetime, deps: Deps) -> bool:
    message = loop.message(review.loop)
    after = replace(review, handed_over=timestamp(now))
    if message is None or not deps.reviews.try_move(after, review):
        return False
    deps.review_queue.send(message)
    return True
