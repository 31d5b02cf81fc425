"""The page Conflicts: images that got different labels, decided by an operator."""

from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from loupe.console.access import OPERATOR, current_user, only
from loupe.console.paging import one_page
from loupe.console.requests import checked
from loupe.console.schema import Id, Label, PageQuery
from loupe.domain.review import Review, ReviewPurpose, ReviewState, group_in_conflict
from loupe.services.review_answers import decide_conflict
from loupe.wiring import Deps, deps

router = Router()


@dataclass(frozen=True)
class Decision:
    """The label, or none of the above."""

    label: Label


@router.get("/conflicts", middlewares=only(OPERATOR))
@checked(router)
def conflicts(query: PageQuery) -> dict[str, Any]:
    """A page of them, newest first."""
    found = deps().reviews.newest(ReviewState.CONFLICT, before=query.cursor, page=query.limit + 1)
    items, following = one_page(found, query.limit, lambda review: review.sort_key)
    return {"items": [_shown(item, deps()) for item in items], "next": following}


@router.post("/conflicts/<identity>", middlewares=only(OPERATOR))
@checked(router)
def decide(identity: Id, body: Decision) -> dict[str, Any]:
    """The operator's word on one of them."""
    decide_conflict(identity, body.label, current_user(router).name, deps())
    return {"message": f"Decided: {body.label}."}


def _shown(review: Review, deps: Deps) -> dict[str, Any]:
    return {
        "id": review.id,
        "image": review.image.name,
        "picture": deps.presigned_urls.get(review.image.key, review.image.version),
        "labels": list(review.labels),
        "answers": [vars(answer) for answer in review.answers],
        "copies": _copies(review, deps),
        "at": review.at,
    }


def _copies(review: Review, deps: Deps) -> list[dict[str, str]]:
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
