"""A person answers a review in Loupe itself."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from loupe.domain.places import review_output_key, stamp
from loupe.domain.review import CLOSING, Reply, Review, check_reply, render_output
from loupe.errors import AlreadyDone, LoupeError, TryAgain
from loupe.wiring import Deps, deps

FLOW = "builtin"


@dataclass(frozen=True)
class Request:
    """Who answers which review with what."""

    review: str
    worker: str
    label: str


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
    before = deps.reviews.get(request.review)
    after = before if _repeats(before, request) else decide(before, request, deps.clock())
    if after != before:
        try:
            deps.reviews.move(after, before)
        except AlreadyDone as error:
            raise TryAgain("Somebody else answered this review just now; try again.") from error
    if after.state == CLOSING:
        hand_over(after, deps)
    return after


def decide(review: Review, request: Request, now: datetime) -> Review:
    """The review with one answer more."""
    check_reply(review, request.worker, request.label)
    replies = (*review.replies, Reply(request.worker, request.label, stamp(now)))
    state = CLOSING if len(replies) >= review.wanted else review.state
    return replace(review, replies=replies, state=state)


def hand_over(review: Review, deps: Deps) -> None:
    """Write `output.json`, as Amazon A2I would; its arrival goes on from here."""
    last = datetime.fromisoformat(review.replies[-1].at)
    deps.objects.write(
        review_output_key(FLOW, review.id, last),
        render_output(review, f"loupe:{FLOW}").encode(),
        "application/json",
    )


def _repeats(review: Review, request: Request) -> bool:
    """The same person sends the same answer again, as after a lost response."""
    return review.state == CLOSING and any(
        (reply.worker, reply.label) == (request.worker, request.label) for reply in review.replies
    )
