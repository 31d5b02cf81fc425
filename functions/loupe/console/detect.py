"""The page Detect: images go in, what was found comes out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, NotRequired, TypedDict, cast

from loupe.console.access import Role, current_user
from loupe.console.activity import EventView, event_view
from loupe.console.answers import ManyDone, Message, Page
from loupe.console.paging import every, many, one_page, read_at_a_time
from loupe.console.requests import Api
from loupe.console.schema import Id, Ids, Label, OneOf, PageQuery, Percent, Time
from loupe.console.uploads import Posts, Uploads, posts
from loupe.domain.detection import Detection, DetectionState, LabelledBy
from loupe.domain.keys import DETECTION_PREFIX
from loupe.domain.reports import Report
from loupe.errors import InvalidRequest, NotFound
from loupe.services.detection import read_again
from loupe.services.reports import report_answer
from loupe.wiring import deps

router = Api()


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

        def matches(image: Detection) -> bool:
            if not image.labels:
                return False
            first = image.labels[0]
            named = self.label in ("", first.name)
            return named and self.min <= first.confidence <= self.max

        return matches


@dataclass(frozen=True)
class Again:
    """Which images are read again."""

    ids: Ids


@dataclass(frozen=True)
class Wrong:
    """The label that the image may have instead, if I know one."""

    label: Label = ""


class Box(TypedDict):
    """Where in the image it is, in ratios of its width and height."""

    left: float
    top: float
    width: float
    height: float


class LabelView(TypedDict):
    """One answer; `confidence` is 0 to 100."""

    name: str
    confidence: float
    by: LabelledBy
    box: NotRequired[Box]


class DetectionRecord(TypedDict):
    """What became of an image: a person's label comes first, the model's after it, surest first."""

    id: str
    image: str
    state: DetectionState
    labels: list[LabelView]
    version: str
    at: str
    reason: str
    review: str


class DetectionView(DetectionRecord):
    """The same with the image's signed address, which ends after an hour."""

    picture: str


class DetectionDetail(DetectionView):
    """The same with the image's bytes and all that happened to it."""

    size: int
    history: list[EventView]


@router.offer("POST", "/uploads", Role.CONSUMER)
def upload(body: Uploads) -> Posts:
    """Presigned posts for images to be read."""
    by = current_user(router).name
    return posts(body, lambda file: DETECTION_PREFIX + file.name, by, deps())


@router.offer("GET", "/detections", Role.CONSUMER)
def detections(query: DetectionQuery) -> Page[DetectionView]:
    """A page of images, newest first, with what was found."""
    matches = query.label_matches
    newest = deps().detections.newest(
        query.state,
        after=query.from_,
        before=query.before,
        page=read_at_a_time(query.limit, matches is not None),
    )
    return one_page(newest, query.limit, lambda d: d.sort_key, _shown, matches or every)


@router.offer("POST", "/detections/again", Role.CONSUMER)
def again(body: Again) -> ManyDone:
    """Images that failed or were rejected are read again."""
    return many(body.ids, read_again(body.ids, current_user(router).name, deps()))


@router.offer("GET", "/detections/<identity>", Role.CONSUMER)
def detection(identity: Id) -> DetectionDetail:
    """One image and all that happened to it, oldest first."""
    record = deps().detections.get(identity)
    if record is None:
        raise NotFound("There is no such image (any more).")
    return {
        **_shown(record),
        "size": record.image.size,
        "history": [event_view(event) for event in deps().events.history(identity)],
    }


@router.offer("POST", "/detections/<identity>/report", Role.CONSUMER, Role.OPERATOR)
def report(identity: Id, body: Wrong) -> Message:
    """The answer to an image is wrong: people look at it, ahead of other images."""
    report_answer(Report(identity, current_user(router).name, body.label), deps())
    return {"message": "Thank you. A reviewer looks at it next; their answer replaces this one."}


def _shown(record: Detection) -> DetectionView:
    picture = deps().presigned_urls.get(record.image.key, record.image.version)
    return {**cast(DetectionRecord, record.as_json()), "picture": picture}
