"""The page Detect: images go in, what was found comes out."""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from loupe.console.access import CONSUMER, current_user, only
from loupe.console.requests import (
    body,
    every,
    many,
    number,
    one_page,
    page_size,
    parameter,
    read_at_a_time,
    texts,
)
from loupe.console.uploads import slots
from loupe.domain.detection import STATES, Detection
from loupe.domain.places import DETECTION_PREFIX
from loupe.errors import InvalidRequest, NotFound
from loupe.operations import read_again
from loupe.wiring import Deps, deps

router = Router()


@router.post("/uploads", middlewares=only(CONSUMER))
def upload() -> dict[str, Any]:
    """Slots for images to be read."""
    user = current_user(router)
    return slots(body(router), lambda name, _: DETECTION_PREFIX + name, user.name, deps().pictures)


@router.get("/detections", middlewares=only(CONSUMER))
def detections() -> dict[str, Any]:
    """A page of images, newest first, with what was found."""
    state = parameter(router, "state")
    if state and state not in STATES:
        raise InvalidRequest(f"{state!r} is no state; the states are: {', '.join(STATES)}.")
    size, matches = page_size(router), _wanted()
    found = deps().detections.newest(
        state,
        after=parameter(router, "from"),
        before=parameter(router, "cursor") or parameter(router, "to"),
        page=read_at_a_time(size, matches is not None),
    )
    items, following = one_page(found, size, lambda d: d.position, matches or every)
    return {"items": [_shown(item, deps()) for item in items], "next": following}


@router.post("/detections/again", middlewares=only(CONSUMER))
def again() -> dict[str, Any]:
    """Images that failed or were rejected are read again."""
    identities = texts(body(router), "ids")
    return many(identities, read_again(identities, current_user(router).name, deps()))


@router.get("/detections/<identity>", middlewares=only(CONSUMER))
def detection(identity: str) -> dict[str, Any]:
    """One image and all that happened to it, oldest first."""
    found = deps().detections.get(identity)
    if found is None:
        raise NotFound("There is no such image (any more).")
    history = deps().table.listing("history", identity, newest_first=False)
    return {
        **_shown(found, deps()),
        "size": found.image.size,
        "history": [
            {name: event[name] for name in ("id", "type", "at", "subject", "text")}
            for event in history
        ],
    }


def _wanted() -> Callable[[Detection], bool] | None:
    """What the filters on the first label let through; None where there is no such filter."""
    label = parameter(router, "label")
    least, most = number(router, "min", 0), number(router, "max", 100)
    if not label and least <= 0 and most >= 100:
        return None

    def matches(found: Detection) -> bool:
        if not found.labels:
            return False
        first = found.labels[0]
        return (not label or first.name == label) and least <= first.confidence <= most

    return matches


def _shown(found: Detection, deps: Deps) -> dict[str, Any]:
    picture = deps.pictures.show(found.image.key, found.image.version)
    return {**found.as_json(), "picture": picture}
