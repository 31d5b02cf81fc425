"""The page Dataset: labelled images, and the operator's hand on them."""

from dataclasses import dataclass
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from loupe.console.access import OPERATOR, current_user, only
from loupe.console.overview import training
from loupe.console.paging import many, one_page, read_at_a_time
from loupe.console.requests import checked
from loupe.console.schema import Id, Ids, Label, OneOf, PageQuery
from loupe.console.uploads import File, Uploads, slots
from loupe.domain.keys import LABELLED_PREFIX, check_label
from loupe.domain.labelled_images import SPLITS, LabelCount, LabelledImage, LabelledImageStatus
from loupe.services import dataset
from loupe.services.dataset import labelled_image, remark_on, versions_with
from loupe.wiring import Deps, deps

ADVISED = 10
"""Images of a label to train on that Rekognition Custom Labels advises."""
STATUSES = (
    LabelledImageStatus.REGISTERED,
    LabelledImageStatus.REMOVED,
    LabelledImageStatus.REJECTED,
)

router = Router()


@dataclass(frozen=True)
class ExampleQuery(PageQuery):
    """Labelled images of one label, split or status, or of any."""

    label: Label = ""
    split: Annotated[str, OneOf(SPLITS)] = ""
    status: Annotated[str, OneOf(STATUSES)] = ""


@dataclass(frozen=True)
class Relabelling:
    """Which images get which label."""

    ids: Ids
    label: Label


@dataclass(frozen=True)
class Removal:
    """Which images are removed."""

    ids: Ids


@router.get("/dataset/labels", middlewares=only(OPERATOR))
def labels() -> dict[str, Any]:
    """How many independent pictures each label has, which have too few, and what comes of it."""
    counts = deps().dataset.label_counts().by_label
    return {
        "labels": [
            {"label": label, "train": count.train, "test": count.test, "thin": thin(count)}
            for label, count in sorted(counts.items())
            if count != LabelCount()
        ],
        "training": training(deps()),
    }


def thin(count: LabelCount) -> str:
    """Why a label has too few pictures, or ""."""
    if not count.train or not count.test:
        missing = "to test with" if count.train else "to train on"
        return f"It is left out of trainings: it has no image {missing}."
    if count.train < ADVISED:
        return f"{count.train} images to train on; {ADVISED} or more are advised."
    return ""


@router.get("/dataset/examples", middlewares=only(OPERATOR))
@checked(router)
def examples(query: ExampleQuery) -> dict[str, Any]:
    """A page of labelled images, newest first."""
    page = read_at_a_time(query.limit, bool(query.label or query.split))
    items, following = one_page(
        deps().dataset.labelled_images(query.status, before=query.cursor, page=page),
        query.limit,
        lambda example: example.sort_key,
        lambda example: query.label in ("", example.label) and query.split in ("", example.split),
    )
    return {"items": [_shown(item, deps()) for item in items], "next": following}


@router.get("/dataset/examples/<identity>", middlewares=only(OPERATOR))
@checked(router)
def example(identity: Id) -> dict[str, Any]:
    """One of them, and the newest versions that it was part of."""
    found = labelled_image(identity, deps())
    versions = [{"name": name, "split": split} for name, split in versions_with(found, deps())]
    return {**_shown(found, deps()), "versions": versions}


@router.post("/dataset/uploads", middlewares=only(OPERATOR))
@checked(router)
def upload(body: Uploads) -> dict[str, Any]:
    """Slots for images, each of a label of its own."""
    return slots(body, _labelled_key, current_user(router).name, deps())


def _labelled_key(file: File) -> str:
    return f"{LABELLED_PREFIX}{check_label(file.label)}/{file.name}"


@router.post("/dataset/relabel", middlewares=only(OPERATOR))
@checked(router)
def relabel(body: Relabelling) -> dict[str, Any]:
    """Move images to another label's folder; their registration follows."""
    by = current_user(router).name
    return many(body.ids, dataset.relabel(body.ids, body.label, by, deps()))


@router.post("/dataset/remove", middlewares=only(OPERATOR))
@checked(router)
def remove(body: Removal) -> dict[str, Any]:
    """Delete images from their folders; the bucket keeps their old versions."""
    return many(body.ids, dataset.remove(body.ids, deps()))


def _shown(example: LabelledImage, deps: Deps) -> dict[str, Any]:
    return {
        "id": example.id,
        "image": example.key.removeprefix(LABELLED_PREFIX),
        "label": example.label,
        "status": example.status,
        "split": example.split if example.split in SPLITS else "",
        "source": example.source,
        "by": list(example.by),
        "at": example.at,
        "reason": remark_on(example, deps),
        "picture": deps.presigned_urls.get(example.key, _version_id(example)),
    }


def _version_id(example: LabelledImage) -> str:
    """An object that is gone is shown by the version that was registered."""
    return example.version if example.status == LabelledImageStatus.REMOVED else ""
