"""The page Conflicts: images that got different labels, decided by an operator."""

from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from loupe.console.access import OPERATOR, current_user, only
from loupe.console.requests import body, one_page, page_size, parameter, text
from loupe.domain.review import CONFLICT, TWO_LABELS, Review, group_in_conflict
from loupe.handlers.record_review import decide
from loupe.wiring import Deps, deps

router = Router()


@router.get("/conflicts", middlewares=only(OPERATOR))
def conflicts() -> dict[str, Any]:
    """A page of them, newest first."""
    size = page_size(router)
    found = deps().reviews.newest(CONFLICT, before=parameter(router, "cursor"), page=size + 1)
    items, following = one_page(found, size, lambda review: review.position)
    return {"items": [_shown(item, deps()) for item in items], "next": following}


@router.post("/conflicts/<identity>", middlewares=only(OPERATOR))
def decide_conflict(identity: str) -> dict[str, Any]:
    """The operator's word on one of them."""
    label = text(body(router), "label")
    decide(identity, label, current_user(router).name, deps())
    return {"message": f"Decided: {label}."}


def _shown(review: Review, deps: Deps) -> dict[str, Any]:
    return {
        "id": review.id,
        "image": review.image.name,
        "picture": deps.pictures.show(review.image.key, review.image.version),
        "labels": list(review.labels),
        "answers": [vars(reply) for reply in review.replies],
        "copies": _copies(review, deps),
        "at": review.at,
    }


def _copies(review: Review, deps: Deps) -> list[dict[str, str]]:
    """The objects of a picture that stands under several labels."""
    if review.purpose != TWO_LABELS:
        return []
    return [
        {
            "image": member.name,
            "label": member.label,
            "picture": deps.pictures.show(member.key, member.version),
        }
        for member in deps.dataset.group(group_in_conflict(review)).members
    ]
