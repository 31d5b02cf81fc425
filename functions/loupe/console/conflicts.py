"""The page Conflicts: images that got different labels, decided by an operator."""

from dataclasses import dataclass
from typing import TypedDict

from loupe.console.access import Role, current_user
from loupe.console.answers import Message, Page
from loupe.console.paging import one_page
from loupe.console.requests import Api
from loupe.console.schema import Id, Label, PageQuery
from loupe.domain.review import Answer, Review, ReviewPurpose, ReviewState, group_in_conflict
from loupe.services.review_answers import decide_conflict
from loupe.wiring import deps

router = Api()


@dataclass(frozen=True)
class Decision:
    """The label, or none of the above."""

    label: Label


class Copy(TypedDict):
    """One of the objects of a picture that stands under several labels."""

    image: str
    label: str
    picture: str


class ConflictView(TypedDict):
    """An image and what people say of it; only a picture under several labels has `copies`."""

    id: str
    image: str
    picture: str
    labels: list[str]
    answers: list[Answer]
    copies: list[Copy]
    at: str


@router.offer("GET", "/conflicts", Role.OPERATOR)
def conflicts(query: PageQuery) -> Page[ConflictView]:
    """A page of them, newest first."""
    newest = deps().reviews.newest(ReviewState.CONFLICT, before=query.cursor, page=query.limit + 1)
    return one_page(newest, query.limit, lambda review: review.sort_key, _shown)


@router.offer("POST", "/conflicts/<identity>", Role.OPERATOR)
def decide(identity: Id, body: Decision) -> Message:
    """The operator's word on one of them."""
    decide_conflict(identity, body.label, current_user(router).name, deps())
    return {"message": f"Decided: {body.label}."}


def _shown(review: Review) -> ConflictView:
    return {
        "id": review.id,
        "image": review.image.name,
        "picture": deps().presigned_urls.get(review.image.key, review.image.version),
        "labels": list(review.labels),
        "answers": list(review.answers),
        "copies": _copies(review),
        "at": review.at,
    }


def _copies(review: Review) -> list[Copy]:
    """The objects of a picture that stands under several labels."""
    if review.purpose != ReviewPurpose.TWO_LABELS:
        return []
    return [
        Copy(image=m.name, label=m.label, picture=deps().presigned_urls.get(m.key, m.version))
        for m in deps().dataset.group(group_in_conflict(review)).members
    ]
