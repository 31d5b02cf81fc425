"""The page Dataset: labelled images, and the operator's hand on them."""

from dataclasses import dataclass
from typing import Annotated, Literal, TypedDict

from loupe.console.access import Role, current_user
from loupe.console.answers import ManyDone, Page
from loupe.console.overview import Training, training
from loupe.console.paging import many, one_page, read_at_a_time
from loupe.console.requests import Api
from loupe.console.schema import Id, Ids, Label, OneOf, PageQuery
from loupe.console.uploads import File, Posts, Uploads, posts
from loupe.domain.keys import LABELLED_PREFIX, check_label
from loupe.domain.labelled_images import (
    SPLITS,
    ImageSource,
    LabelCount,
    LabelledImage,
    LabelledImageStatus,
    Split,
)
from loupe.services import dataset
from loupe.services.dataset import labelled_image, remark_on, versions_with
from loupe.services.version_report import LabelImages
from loupe.wiring import deps

ADVISED = 10
"""Images of a label to train on that Rekognition Custom Labels advises."""

router = Api()


@dataclass(frozen=True)
class ExampleQuery(PageQuery):
    """Labelled images of one label, split or status, or of any."""

    label: Label = ""
    split: Annotated[str, OneOf(SPLITS)] = ""
    status: Annotated[str, OneOf(tuple(LabelledImageStatus))] = ""


@dataclass(frozen=True)
class Relabelling:
    """Which images get which label."""

    ids: Ids
    label: Label


@dataclass(frozen=True)
class Removal:
    """Which images are removed."""

    ids: Ids


class Labels(TypedDict):
    """The images of every label, and what the next training check would decide of them."""

    labels: list[LabelImages]
    training: Training


class ExampleView(TypedDict):
    """A labelled image; `by` is who labelled it, and nobody for an upload of an unknown owner."""

    id: str
    image: str
    label: str
    status: LabelledImageStatus
    split: Split | Literal[""]
    source: ImageSource
    by: list[str]
    at: str
    reason: str
    picture: str


class Membership(TypedDict):
    """A version that was trained, or tested, on an image."""

    name: str
    split: Split


class ExampleDetail(ExampleView):
    """A labelled image and the newest versions that it was part of."""

    versions: list[Membership]


@router.offer("GET", "/dataset/labels", Role.OPERATOR)
def labels() -> Labels:
    """How many independent pictures each label has, which have too few, and what comes of it."""
    counts = deps().dataset.label_counts().by_label
    rows = [
        LabelImages(label=label, train=n.train, test=n.test, underrepresented=underrepresented(n))
        for label, n in sorted(counts.items())
        if n != LabelCount()
    ]
    return {"labels": rows, "training": training(deps())}


def underrepresented(count: LabelCount) -> str:
    """Why a label has too few pictures, or ""."""
    if not count.train or not count.test:
        missing = "to test with" if count.train else "to train on"
        return f"It is left out of trainings: it has no image {missing}."
    if count.train < ADVISED:
        return f"{count.train} images to train on; {ADVISED} or more are advised."
    return ""


@router.offer("GET", "/dataset/examples", Role.OPERATOR)
def examples(query: ExampleQuery) -> Page[ExampleView]:
    """A page of labelled images, newest first."""
    page = read_at_a_time(query.limit, bool(query.label or query.split))
    return one_page(
        deps().dataset.labelled_images(query.status, before=query.cursor, page=page),
        query.limit,
        lambda example: example.sort_key,
        _shown,
        lambda example: query.label in ("", example.label) and query.split in ("", example.split),
    )


@router.offer("GET", "/dataset/examples/<identity>", Role.OPERATOR)
def example(identity: Id) -> ExampleDetail:
    """One of them, and the newest versions that it was part of."""
    image = labelled_image(identity, deps())
    return {
        **_shown(image),
        "versions": [
            {"name": name, "split": split} for name, split in versions_with([image.key], deps())
        ],
    }


@router.offer("POST", "/dataset/uploads", Role.OPERATOR)
def upload(body: Uploads) -> Posts:
    """Presigned posts for images, each of a label of its own."""
    return posts(body, _labelled_key, current_user(router).name, deps())


def _labelled_key(file: File) -> str:
    return f"{LABELLED_PREFIX}{check_label(file.label)}/{file.name}"


@router.offer("POST", "/dataset/relabel", Role.OPERATOR)
def relabel(body: Relabelling) -> ManyDone:
    """Move images to another label's folder; their registration follows."""
    by = current_user(router).name
    return many(body.ids, dataset.relabel(body.ids, body.label, by, deps()))


@router.offer("POST", "/dataset/remove", Role.OPERATOR)
def remove(body: Removal) -> ManyDone:
    """Delete images from their folders; the bucket keeps their old versions."""
    return many(body.ids, dataset.remove(body.ids, deps()))


def _shown(example: LabelledImage) -> ExampleView:
    return {
        "id": example.id,
        "image": example.key.removeprefix(LABELLED_PREFIX),
        "label": example.label,
        "status": example.status,
        "split": Split(example.split) if example.split in SPLITS else "",
        "source": example.source,
        "by": list(example.by),
        "at": example.at,
        "reason": remark_on(example, deps()),
        "picture": deps().presigned_urls.get(example.key, _version_id(example)),
    }


def _version_id(example: LabelledImage) -> str:
    """An object that is gone is shown by the version that was registered."""
    return example.version if example.status == LabelledImageStatus.REMOVED else ""
