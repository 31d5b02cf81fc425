"""People's work on Loupe's own review page: claim a review, answer it, or give it back."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from loupe.adapters.reviews import count_answer
from loupe.domain.keys import review_output_key, timestamp
from loupe.domain.review import (
    Answer,
    Review,
    ReviewState,
    check_answer,
    claim,
    is_due_again,
    release,
    render_output,
)
from loupe.errors import AlreadyDone, LoupeError, TryAgain
from loupe.wiring import Deps

FLOW = "builtin"
ATTEMPTS = 5
PER_RUN = 100
COUNTED_TO = 1000
LOOKED_AT = 500
"""Open reviews that one call looks through for some that are to be had."""


@dataclass(frozen=True)
class AnswerRequest:
    """Who answers which review with what."""

    review: str
    worker: str
    label: str


def try_answer(request: AnswerRequest, deps: Deps) -> dict[str, str]:
    """`{"state"}` after the answer, or `{"error"}` for a person to read why it was not taken."""
    try:
        return {"state": answer(request, deps).state}
    except TryAgain:
        raise
    except LoupeError as error:
        return {"error": str(error)}


def answer(request: AnswerRequest, deps: Deps) -> Review:
    """Take the answer; when it is the last one asked for, hand all of them over."""
    after = _until_written(request.review, lambda: take(request, deps))
    if after.state == ReviewState.CLOSING:
        hand_over(after, deps)
    return after


def give_back(review_id: str, worker: str, skip: bool, deps: Deps) -> None:
    """Release a claimed review for others; with `skip`, `worker` does not get it again."""

    def released() -> Review | None:
        before = deps.reviews.get(review_id)
        after = release(before, worker, skip)
        if before.state != ReviewState.OPEN or after == before:
            return before
        try:
            deps.reviews.move(after, before)
        except AlreadyDone:
            return None
        return after

    _until_written(review_id, released)


def _until_written(review_id: str, attempt: Callable[[], Review | None]) -> Review:
    """The review that `attempt` wrote; it returns None when somebody else changed it first."""
    for _ in range(ATTEMPTS):
        if after := attempt():
            return after
    raise AlreadyDone(f"Many people are at work on review {review_id}; try again.")


def take(request: AnswerRequest, deps: Deps) -> Review | None:
    """Write the answer down; None when somebody else answered, or was given, the same review."""
    before, now = deps.reviews.get(request.review), deps.clock()
    if _repeats(before, request):
        return before
    after = with_answer(before, request, now)
    try:
        deps.reviews.move(after, before, *count_answer(request.worker, f"{now:%Y-%m-%d}"))
    except AlreadyDone:
        return None
    return after


def with_answer(review: Review, request: AnswerRequest, now: datetime) -> Review:
    """The review with one answer more."""
    check_answer(review, request.worker, request.label)
    answers = (*review.answers, Answer(request.worker, request.label, timestamp(now)))
    state = ReviewState.CLOSING if len(answers) >= review.reviewers else review.state
    return replace(release(review, request.worker, skip=False), answers=answers, state=state)


def hand_over(review: Review, deps: Deps) -> None:
    """Write `output.json`, as Amazon A2I would; its arrival goes on from here."""
    last = datetime.fromisoformat(review.answers[-1].at)
    deps.objects.write(
        review_output_key(FLOW, review.id, last),
        render_output(review, f"loupe:{FLOW}").encode(),
        "application/json",
    )


def hand_over_again(deps: Deps) -> int:
    """Hand over answers that nothing came of: a crash, or a lost event, was between.

    Writing `output.json` again is harmless, and its arrival goes on as the first one did.
    """
    now, again = deps.clock(), 0
    for review in islice(deps.reviews.oldest(ReviewState.CLOSING, "", PER_RUN), PER_RUN):
        if not is_due_again(review, datetime.fromisoformat(review.answers[-1].at), now):
            continue
        try:
            deps.reviews.move(replace(review, handed_over=timestamp(now)), review)
        except AlreadyDone:
            continue  # They were taken in just now.
        hand_over(review, deps)
        again += 1
    return again


def _repeats(review: Review, request: AnswerRequest) -> bool:
    """The same person sends the same answer again, as after a lost response."""
    return review.state == ReviewState.CLOSING and any(
        (answer.worker, answer.label) == (request.worker, request.label)
        for answer in review.answers
    )


def claim_tasks(worker: str, count: int, deps: Deps) -> list[Review]:
    """Up to `count` reviews kept for `worker` from now on, the oldest first."""
    return list(islice(_claimed(worker, deps), count))


def open_tasks(deps: Deps) -> int:
    """How many reviews are open, counted up to 1,000."""
    return deps.reviews.count_open(COUNTED_TO)


def _claimed(worker: str, deps: Deps) -> Iterator[Review]:
    for listed in islice(deps.reviews.oldest_open(page=25), LOOKED_AT):
        # The listing may be a moment behind; what is claimed is read again.
        if claim(listed, worker, deps.clock()) is None:
            continue
        before = deps.reviews.get(listed.id)
        mine = claim(before, worker, deps.clock())
        if mine is None:
            continue
        try:
            deps.reviews.move(mine, before)
        except AlreadyDone:
            continue  # Somebody else was faster.
        yield mine
