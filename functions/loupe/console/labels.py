"""Labels: what reviewers see of them, their names, and images that none of them fits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, TypedDict

from loupe.console.access import Role, current_user
from loupe.console.answers import All, ManyDone, Refusal
from loupe.console.paging import many
from loupe.console.requests import Api
from loupe.console.schema import IDENTIFIER, AnyText, Ids, Label, Many
from loupe.domain.labels import LONGEST_DESCRIPTION, MOST_REFERENCES, LabelNote
from loupe.services import labels as service
from loupe.services import unlabelled
from loupe.services.labels import Moved, reference_images
from loupe.wiring import deps

MOVED_AT_ONCE = 50
"""Images that are copied within the time of a request."""

router = Api()


@dataclass(frozen=True)
class Description:
    """What reviewers are to see of a label: a text, and labelled images by their ids."""

    label: Label
    description: Annotated[str, AnyText(LONGEST_DESCRIPTION)]


@dataclass(frozen=True)
class References:
    """Labelled images that show a label, instead of those before."""

    label: Label
    ids: Annotated[tuple[str, ...], Many(IDENTIFIER, MOST_REFERENCES)]


@dataclass(frozen=True)
class Move:
    """A label, and the one that gets its images."""

    label: Label
    into: Label


@dataclass(frozen=True)
class NewLabel:
    """Images that no label fits, and the label that they get, which may be new."""

    label: Label
    ids: Ids


class ReferenceImage(TypedDict):
    """A labelled image that shows what a label means."""

    id: str
    picture: str


class AboutLabel(TypedDict):
    """What reviewers see of a label."""

    label: str
    description: str
    references: list[ReferenceImage]


class MoveDone(ManyDone):
    """What came of a move; with `more`, the same order to /labels/merge goes on with it."""

    more: bool


class UnlabelledView(TypedDict):
    """An image that no label fits; `scores` are the model's confidences by label."""

    id: str
    image: str
    picture: str
    scores: Mapping[str, float]
    at: str


class AlikeImages(TypedDict):
    """Images that look alike."""

    images: list[UnlabelledView]


@router.offer("GET", "/labels/about", Role.REVIEWER, Role.OPERATOR)
def about() -> All[AboutLabel]:
    """Labels that are described, or shown by reference images."""
    return {"items": [_about(note) for _, note in sorted(deps().labels.notes().items())]}


@router.offer("POST", "/labels/description", Role.OPERATOR)
def describe(body: Description) -> AboutLabel:
    """Say what a label means; the references stay."""
    by = current_user(router).name
    return _about(service.describe(body.label, by, deps(), body.description))


@router.offer("POST", "/labels/references", Role.OPERATOR)
def show(body: References) -> AboutLabel:
    """Choose the images that show a label; the description stays."""
    by = current_user(router).name
    return _about(service.describe(body.label, by, deps(), references=body.ids))


@router.offer("POST", "/labels/rename", Role.OPERATOR)
def rename(body: Move) -> MoveDone:
    """Move images of a label to one without images; their registration follows."""
    by = current_user(router).name
    return _done(service.rename(body.label, body.into, by, deps(), MOVED_AT_ONCE))


@router.offer("POST", "/labels/merge", Role.OPERATOR)
def merge(body: Move) -> MoveDone:
    """Move images of a label to another one; their registration follows."""
    by = current_user(router).name
    return _done(service.merge(body.label, body.into, by, deps(), MOVED_AT_ONCE))


@router.offer("GET", "/labels/none", Role.OPERATOR)
def none() -> All[AlikeImages]:
    """The newest images that no label fits, in groups that look alike, the largest first."""
    return {
        "items": [
            {
                "images": [
                    {
                        "id": each.image.id,
                        "image": each.image.name,
                        "picture": deps().presigned_urls.get(each.image.key, each.image.version),
                        "scores": each.scores,
                        "at": each.at,
                    }
                    for each in group
                ]
            }
            for group in unlabelled.groups(deps())
        ]
    }


@router.offer("POST", "/labels/make", Role.OPERATOR)
def make(body: NewLabel) -> ManyDone:
    """Make images that no label fits images of a label."""
    by = current_user(router).name
    return many(body.ids, unlabelled.make_label(body.label, body.ids, by, deps()))


def _about(note: LabelNote) -> AboutLabel:
    urls = deps().presigned_urls
    return {
        "label": note.label,
        "description": note.description,
        "references": [
            {"id": image.id, "picture": urls.get(image.key)}
            for image in reference_images(note, deps())
        ],
    }


def _done(moved: Moved) -> MoveDone:
    failed = [Refusal(id=name, message=message) for name, message in moved.failed.items()]
    return {"done": moved.moved, "failed": failed, "more": moved.more}
