"""The page Conflicts: images that got different labels, decided by an operator."""

from dataclasses import dataclass
from typing import TypedDict

from aws_lambda_powertools.event_handler.api_gateway import Router

from loupe.console.access import Role, current_user, only
from loupe.console.answers import Message, Page
from loupe.console.paging import one_page
from loupe.console.requests import checked
from loupe.console.schema import Id, Label, PageQuery
from loupe.domain.review import Answer, Review, ReviewPurpose, ReviewState, group_in_conflict
from loupe.services.review_answers import decide_conflict
from loupe.wiring import Deps, deps

router = Router()


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


@router.get("/conflicts", middlewares=only(Role.OPERATOR))
@checked(router)
def conflicts(query: PageQuery) -> Page[ConflictView]:
    """A page of them, newest first."""
    newest = deps().reviews.newest(ReviewState.CONFLICT, before=query.cursor, page=query.limit + 1)
    items, following = one_page(newest, query.limit, lambda review: review.sort_key)
    return {"items": [_shown(item, deps()) for item in items], "next": following}


@router.post("/conflicts/<identity>", middlewares=only(Role.OPERATOR))
@checked(router)
def decide(identity: Id, body: Decision) -> Message:
    """The operator's word on one of them."""
    decide_conflict(identity, body.label, current_user(router).name, deps())
    return {"message": f"Decided: {body.label}."}


def _shown(review: Review, deps: Deps) -> ConflictView:
    return {
        "id": review.id,
        "image": review.image.name,
        "picture": deps.presigned_urls.get(review.image.key, review.image.version),
        "labels": list(review.labels),
        "answers": list(review.answers),
        "copies": _copies(review, deps),
        "at": review.at,
    }


def _copies(review: Review, deps: Deps) -> list[Copy]:
    """The objects of a picture that stands under several labels."""
    if review.purpose != ReviewPurpose.TWO_LABELS:
        return []
    return [
        {
            "image": member.name,
            "label": member.label,
            "picture": deps.presigned_urls.get(member.key, member.version),
        }
        for member in deps.dataset.group(group_in_conflict(review)).members
    ]
