"""The page Review: one task at a time, kept for whoever looks at it."""

from dataclasses import dataclass
from typing import Annotated, TypedDict, cast

from loupe.console.access import Role, current_user
from loupe.console.detect import LabelView
from loupe.console.requests import Api
from loupe.console.schema import Id, Label, Switch, Whole
from loupe.domain.review import Review
from loupe.services.review_desk import answer, claim_tasks, give_back, open_tasks
from loupe.wiring import Deps, deps

MOST_AT_ONCE = 5

router = Api()


@dataclass(frozen=True)
class Claim:
    """How many tasks are to be kept for me."""

    count: Annotated[int, Whole(1, MOST_AT_ONCE)] = 1


@dataclass(frozen=True)
class TaskAnswer:
    """A label of the task, or none of the above."""

    label: Label


@dataclass(frozen=True)
class Release:
    """Whether I do not want the task again."""

    skip: Switch = False


class Counter(TypedDict):
    """How many answers are mine."""

    today: int
    total: int


class Task(TypedDict):
    """An image to label: until `until` nobody else gets it; `guess` may be the model's answer."""

    id: str
    image: str
    picture: str
    labels: list[str]
    guess: list[LabelView]
    reason: str
    until: str
    wanted: int


class Claimed(TypedDict):
    """My tasks, the most urgent first; `waiting` are others for me, counted up to 1,000."""

    tasks: list[Task]
    waiting: int
    mine: Counter


class Answered(TypedDict):
    """How many answers are mine now."""

    mine: Counter


class Released(TypedDict):
    """An empty object."""


@router.offer("POST", "/reviews/claim", Role.REVIEWER)
def claim(body: Claim) -> Claimed:
    """Tasks for me: the most urgent ones that nobody else has on the page."""
    worker = current_user(router).name
    claimed = claim_tasks(worker, body.count, deps())
    return {
        "tasks": [_shown(review, worker, deps()) for review in claimed],
        "waiting": open_tasks(deps()) - len(claimed),
        "mine": _mine(worker, deps()),
    }


@router.offer("POST", "/reviews/<identity>/answer", Role.REVIEWER)
def answer_task(identity: Id, body: TaskAnswer) -> Answered:
    """My answer: one of the labels, or none of the above."""
    worker = current_user(router).name
    answer(identity, worker, body.label, deps())
    return {"mine": _mine(worker, deps())}


@router.offer("POST", "/reviews/<identity>/release", Role.REVIEWER)
def release_task(identity: Id, body: Release) -> Released:
    """I do not answer this task now, or with `skip` never."""
    give_back(identity, current_user(router).name, body.skip, deps())
    return {}


def _mine(worker: str, deps: Deps) -> Counter:
    today, total = deps.reviews.answers_of(worker, f"{deps.clock():%Y-%m-%d}")
    return {"today": today, "total": total}


def _shown(review: Review, worker: str, deps: Deps) -> Task:
    return {
        "id": review.id,
        "image": review.shown_name,
        "picture": deps.presigned_urls.get(review.image.key, review.image.version),
        "labels": list(review.labels),
        "guess": [cast(LabelView, label.as_json()) for label in review.shown_guess],
        "reason": review.shown_reason,
        "until": review.claims[worker],
        "wanted": review.reviewers,
    }
