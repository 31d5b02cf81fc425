"""A person answers a review in Loupe itself."""

from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any

from loupe.adapters.reviews import count_answer
from loupe.correlation import correlated
from loupe.domain.places import review_output_key, stamp
from loupe.domain.review import (
    CLOSING,
    Reply,
    Review,
    check_reply,
    is_due_again,
    release,
    render_output,
)
from loupe.errors import AlreadyDone, LoupeError, TryAgain
from loupe.wiring import Deps, deps

FLOW = "builtin"
ATTEMPTS = 5
PER_RUN = 100


@dataclass(frozen=True)
class Request:
    """Who answers which review with what."""

    review: str
    worker: str
    label: str


@correlated
def handler(payload: dict[str, Any], context: Any) -> dict[str, Any]:
    """`{"review", "worker", "label"}` -> `{"state"}`, or `{"error"}` for a person to read."""
    request = Request(payload["review"], payload["worker"], payload["label"])
    try:
        return {"state": answer(request, deps()).state}
    except TryAgain:
        raise
    except LoupeError as error:
        return {"error": str(error)}


def answer(request: Request, deps: Deps) -> Review:
    """Take the answer; when it is the last one asked for, hand all of them over."""
    for _ in range(ATTEMPTS):
        after = take(request, deps)
        if after is None:
            continue
        if after.state == CLOSING:
            hand_over(after, deps)
        return after
    raise AlreadyDone(f"Many people are at work on review {request.review}; try again.")


def take(request: Request, deps: Deps) -> Review | None:
    """Write the answer down; None when somebody else answered, or was given, the same review."""
    before, now = deps.reviews.get(request.review), deps.clock()
    if _repeats(before, request):
        return before
    after = decide(before, request, now)
    try:
        deps.reviews.move(after, before, *count_answer(request.worker, f"{now:%Y-%m-%d}"))
    except AlreadyDone:
        return None
    return after


def decide(review: Review, request: Request, now: datetime) -> Review:
    """The review with one answer more."""
    check_reply(review, request.worker, request.label)
    replies = (*review.replies, Reply(request.worker, request.label, stamp(now)))
    state = CLOSING if len(replies) >= review.wanted else review.state
    return replace(release(review, request.worker, skip=False), replies=replies, state=state)


def hand_over(review: Review, deps: Deps) -> None:
    """Write `output.json`, as Amazon A2I would; its arrival goes on from here."""
    last = datetime.fromisoformat(review.replies[-1].at)
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
    for review in islice(deps.reviews.oldest(CLOSING, "", PER_RUN), PER_RUN):
        if not is_due_again(review, datetime.fromisoformat(review.replies[-1].at), now):
            continue
        try:
            deps.reviews.move(replace(review, handed_over=stamp(now)), review)
        except AlreadyDone:
            continue  # They were taken in just now.
        hand_over(review, deps)
        again += 1
    return again


def _repeats(review: Review, request: Request) -> bool:
    """The same person sends the same answer again, as after a lost response."""
    return review.state == CLOSING and any(
        (reply.worker, reply.label) == (request.worker, request.label) for reply in review.replies
    )
