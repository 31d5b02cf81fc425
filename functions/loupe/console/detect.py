"""The page Detect: images go in, what was found comes out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from loupe.console.access import CONSUMER, current_user, only
from loupe.console.paging import every, many, one_page, read_at_a_time
from loupe.console.requests import checked
from loupe.console.schema import Id, Ids, Label, OneOf, PageQuery, Percent, Time
from loupe.console.uploads import Uploads, slots
from loupe.domain.detection import Detection, DetectionState
from loupe.domain.keys import DETECTION_PREFIX
from loupe.errors import InvalidRequest, NotFound
from loupe.services.detection import read_again
from loupe.wiring import Deps, deps

router = Router()


@dataclass(frozen=True)
class DetectionQuery(PageQuery):
    """Images of a state that came between two times and whose first label is as asked for.

    `min` and `max` are its confidence.
    """

    state: Annotated[str, OneOf(tuple(DetectionState))] = ""
    label: Label = ""
    min: Percent = 0.0
    max: Percent = 100.0
    from_: Time = ""
    to: Time = ""

    def __post_init__(self) -> None:
        if self.to and self.from_ > self.to:
            raise InvalidRequest(f"from ({self.from_}) must not be after to ({self.to}).")
        if self.cursor and self.from_ > self.cursor:
            raise InvalidRequest("cursor is of another listing: it is of a time before from.")

    @property
    def before(self) -> str:
        """Where the page begins: at the cursor, or at `to`."""
        return min((end for end in (self.cursor, self.to) if end), default="")

    @property
    def label_matches(self) -> Callable[[Detection], bool] | None:
        """What the filters on the first label let through; None where there is no such filter."""
        if not self.label and self.min <= 0 and self.max >= 100:
            return None

        def matches(found: Detection) -> bool:
            if not found.labels:
                return False
            first = found.labels[0]
            named = self.label in ("", first.name)
            return named and self.min <= first.confidence <= self.max

        return matches


@dataclass(frozen=True)
class Again:
    """Which images are read again."""

    ids: Ids


@router.post("/uploads", middlewares=only(CONSUMER))
@checked(router)
def upload(body: Uploads) -> dict[str, Any]:
    """Slots for images to be read."""
    by = current_user(router).name
    return slots(body, lambda file: DETECTION_PREFIX + file.name, by, deps())


@router.get("/detections", middlewares=only(CONSUMER))
@checked(router)
def detections(query: DetectionQuery) -> dict[str, Any]:
    """A page of images, newest first, with what was found."""
    matches = query.label_matches
    found = deps().detections.newest(
        query.state,
        after=query.from_,
        before=query.before,
        page=read_at_a_time(query.limit, matches is not None),
    )
    items, following = one_page(found, query.limit, lambda d: d.sort_key, matches or every)
    return {"items": [_shown(item, deps()) for item in items], "next": following}


@router.post("/detections/again", middlewares=only(CONSUMER))
@checked(router)
def again(body: Again) -> dict[str, Any]:
    """Images that failed or were rejected are read again."""
    return many(body.ids, read_again(body.ids, current_user(router).name, deps()))


@router.get("/detections/<identity>", middlewares=only(CONSUMER))
@checked(router)
def detection(identity: Id) -> dict[str, Any]:
    """One image and all that happened to it, oldest first."""
    found = deps().detections.get(identity)
    if found is None:
        raise NotFound("There is no such image (any more).")
    history = deps().events.history(identity)
    return {
        **_shown(found, deps()),
        "size": found.image.size,
        "history": [
            {name: event[name] for name in ("id", "type", "at", "subject", "text")}
            for event in history
        ],
    }


def _shown(found: Detection, deps: Deps) -> dict[str, Any]:
    picture = deps.presigned_urls.get(found.image.key, found.image.version)
    return {**found.as_json(), "picture": picture}
