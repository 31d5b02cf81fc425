"""The page Review: one task at a time, kept for whoever looks at it."""

from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from loupe.console.access import REVIEWER, current_user, only
from loupe.console.requests import checked
from loupe.console.schema import Id, Label, Switch, Whole
from loupe.domain.review import OPEN, Review, claim, release
from loupe.errors import AlreadyDone
from loupe.handlers.answer_review import ATTEMPTS, Request, answer
from loupe.wiring import Deps, deps

COUNTED_TO = 1000
MOST_AT_ONCE = 5
LOOKED_AT = 500
"""Open reviews that one call looks through for some that are to be had."""

router = Router()


@dataclass(frozen=True)
class Claim:
    """How many tasks are to be kept for me."""

    count: Annotated[int, Whole(1, MOST_AT_ONCE)] = 1


@dataclass(frozen=True)
class Answer:
    """A label of the task, or none of the above."""

    label: Label


@dataclass(frozen=True)
class Release:
    """Whether I do not want the task again."""

    skip: Switch = False


@router.post("/reviews/claim", middlewares=only(REVIEWER))
@checked(router)
def claim_tasks(body: Claim) -> dict[str, Any]:
    """Tasks for me, mine first: the oldest ones that nobody else has on the page."""
    worker = current_user(router).name
    claimed = list(islice(_claimed(worker, deps()), body.count))
    return {
        "tasks": [_shown(review, worker, deps()) for review in claimed],
        "waiting": deps().table.count("states", f"REVIEW#{OPEN}", COUNTED_TO) - len(claimed),
        "mine": _mine(worker, deps()),
    }


@router.post("/reviews/<identity>/answer", middlewares=only(REVIEWER))
@checked(router)
def answer_task(identity: Id, body: Answer) -> dict[str, Any]:
    """My answer: one of the labels, or none of the above."""
    worker = current_user(router).name
    answer(Request(identity, worker, body.label), deps())
    return {"mine": _mine(worker, deps())}


@router.post("/reviews/<identity>/release", middlewares=only(REVIEWER))
@checked(router)
def release_task(identity: Id, body: Release) -> dict[str, Any]:
    """I do not answer this task now, or with `skip` never."""
    for _ in range(ATTEMPTS):
        before = deps().reviews.get(identity)
        after = release(before, current_user(router).name, body.skip)
        if before.state != OPEN or after == before:
            return {}
        try:
            deps().reviews.move(after, before)
        except AlreadyDone:
            continue
        return {}
    raise AlreadyDone(f"Many people are at work on review {identity}; try again.")


def _claimed(worker: str, deps: Deps) -> Any:
    """Reviews kept for `worker` from now on, as many as are taken from this iterator."""
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


def _mine(worker: str, deps: Deps) -> dict[str, int]:
    today, total = deps.reviews.answers_of(worker, f"{deps.clock():%Y-%m-%d}")
    return {"today": today, "total": total}


def _shown(review: Review, worker: str, deps: Deps) -> dict[str, Any]:
    return {
        "id": review.id,
        "image": review.image.name,
        "picture": deps.pictures.show(review.image.key, review.image.version),
        "labels": list(review.labels),
        "guess": [label.as_json() for label in review.shown_guess],
        "reason": review.shown_reason,
        "until": review.claims[worker],
        "wanted": review.wanted,
    }
