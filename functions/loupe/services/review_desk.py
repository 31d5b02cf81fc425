"""People's work on Loupe's own review page: claim a review, answer it, or give it back."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import islice

from loupe.adapters.reviews import count_answer
from loupe.domain.certainty import Settled
from loupe.domain.keys import review_output_key, timestamp
from loupe.domain.review import (
    Answer,
    Review,
    ReviewState,
    add_answer,
    claim,
    is_due_again,
    release,
    render_output,
    repeats_answer,
)
from loupe.errors import AlreadyDone, LoupeError, TryAgain
from loupe.services.consensus import weigh
from loupe.services.gold_tasks import claim_gold_task
from loupe.services.reviews import most_urgent
from loupe.wiring import Deps

FLOW = "builtin"
ATTEMPTS = 5
PER_RUN = 100
COUNTED_TO = 1000
LOOKED_AT = 500
"""Open reviews that one call searches for reviews that can be claimed."""


def try_answer(review_id: str, worker: str, label: str, deps: Deps) -> dict[str, str]:
    """`{"state"}` after the answer, or `{"error"}` that says to a person why it was refused."""
    try:
        return {"state": answer(review_id, worker, label, deps).state}
    except TryAgain:
        raise
    except LoupeError as error:
        return {"error": str(error)}


def answer(review_id: str, worker: str, label: str, deps: Deps) -> Review:
    """Add the answer; after the last one, hand all answers over."""

    def answered() -> Review | None:
        before, now = deps.reviews.get(review_id), deps.clock()
        if repeats_answer(before, worker, label):
            return before
        after = add_answer(before, Answer(worker, label, timestamp(now)))
        if isinstance(weigh(after, deps), Settled):
            after = replace(after, state=ReviewState.CLOSING)
        counted = count_answer(worker, f"{now:%Y-%m-%d}")
        return after if deps.reviews.try_move(after, before, *counted) else None

    review = _until_written(review_id, answered)
    if review.state == ReviewState.CLOSING:
        hand_over(review, deps)
    return review


def give_back(review_id: str, worker: str, skip: bool, deps: Deps) -> None:
    """Release a claimed review for others; with `skip`, `worker` does not get it again."""

    def released() -> Review | None:
        before = deps.reviews.get(review_id)
        after = release(before, worker, skip)
        if before.state != ReviewState.OPEN or after == before:
            return before
        return after if deps.reviews.try_move(after, before) else None

    _until_written(review_id, released)


def _until_written(review_id: str, attempt: Callable[[], Review | None]) -> Review:
    """The review that `attempt` wrote; it returns None when somebody else changed it first."""
    for _ in range(ATTEMPTS):
        if after := attempt():
            return after
    raise AlreadyDone(f"Many people are at work on review {review_id}; try again.")


def hand_over(review: Review, deps: Deps) -> None:
    """Write `output.json` as Amazon A2I does; its S3 event starts the next step."""
    last = datetime.fromisoformat(review.answers[-1].at)
    output = render_output(review, f"loupe:{FLOW}").encode()
    deps.objects.write(review_output_key(FLOW, review.id, last), output, "application/json")


def hand_over_again(deps: Deps) -> int:
    """Hand over answers that had no effect, because of a crash or a lost event.

    It is safe to write `output.json` again.
    """
    now, again = deps.clock(), 0
    for review in islice(deps.reviews.oldest(ReviewState.CLOSING, "", PER_RUN), PER_RUN):
        if not is_due_again(review, datetime.fromisoformat(review.answers[-1].at), now):
            continue
        if deps.reviews.try_move(replace(review, handed_over=timestamp(now)), review):
            hand_over(review, deps)
            again += 1
    return again


def claim_tasks(worker: str, count: int, deps: Deps) -> list[Review]:
    """Claim up to `count` reviews for `worker`, the most urgent first; now and then the last one
    is a gold task.
    """
    settings = deps.parameters.settings()
    urgent = most_urgent(settings, deps)
    claimed = list(islice(_claimed(urgent, worker, deps), count))
    gold = claim_gold_task(worker, settings, deps) if claimed else None
    return [*claimed, gold] if gold else claimed


def open_tasks(deps: Deps) -> int:
    """The number of open reviews, counted up to 1,000."""
    return deps.reviews.count_open(COUNTED_TO)


def _claimed(urgent: Iterator[Review], worker: str, deps: Deps) -> Iterator[Review]:
    for listed in islice(urgent, LOOKED_AT):
        # The index may be a moment behind, so a review is read again before it is claimed.
        if claim(listed, worker, deps.clock()) is None:
            continue
        before = deps.reviews.get(listed.id)
        after = claim(before, worker, deps.clock())
        if after and deps.reviews.try_move(after, before):
            yield after
