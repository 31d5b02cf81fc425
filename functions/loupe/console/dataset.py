"""The page Dataset: labelled images, and the operator's hand on them."""

import posixpath
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from loupe.adapters.dataset import REGISTERED, REJECTED, REMOVED, Example
from loupe.console.access import OPERATOR, current_user, only
from loupe.console.overview import training
from loupe.console.paging import many, one_page, read_at_a_time
from loupe.console.requests import checked
from loupe.console.schema import Id, Ids, Label, OneOf, PageQuery
from loupe.console.uploads import File, Uploads, slots
from loupe.domain.dataset import SPLITS, LabelCount, remark
from loupe.domain.manifest import parse
from loupe.domain.places import LABELLED_PREFIX, check_label, people
from loupe.errors import LoupeError, NotFound
from loupe.handlers.build_dataset import manifest_key
from loupe.wiring import Deps, deps

ADVISED = 10
"""Images of a label to train on that Rekognition Custom Labels advises."""
STATUSES = (REGISTERED, REMOVED, REJECTED)
VERSIONS_LOOKED_AT = 20

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
    counts = deps().dataset.ledger().counts
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
        deps().dataset.examples(query.status, before=query.cursor, page=page),
        query.limit,
        lambda example: example.position,
        lambda example: query.label in ("", example.label) and query.split in ("", example.split),
    )
    return {"items": [_shown(item, deps()) for item in items], "next": following}


@router.get("/dataset/examples/<identity>", middlewares=only(OPERATOR))
@checked(router)
def example(identity: Id) -> dict[str, Any]:
    """One of them, and the newest versions that it was part of."""
    found = _example(identity, deps())
    return {**_shown(found, deps()), "versions": list(_versions_with(found, deps()))}


@router.post("/dataset/uploads", middlewares=only(OPERATOR))
@checked(router)
def upload(body: Uploads) -> dict[str, Any]:
    """Slots for images, each of a label of its own."""
    return slots(body, _labelled_key, current_user(router).name, deps().pictures)


def _labelled_key(file: File) -> str:
    return f"{LABELLED_PREFIX}{check_label(file.label)}/{file.name}"


@router.post("/dataset/relabel", middlewares=only(OPERATOR))
@checked(router)
def relabel(body: Relabelling) -> dict[str, Any]:
    """Move images to another label's folder; their registration follows."""
    label, by = check_label(body.label), current_user(router).name

    def move(found: Example) -> None:
        if found.label == label:
            return
        image = deps().objects.current(found.key).image
        stem, extension = posixpath.splitext(posixpath.basename(found.key))
        key = f"{LABELLED_PREFIX}{label}/{stem[:100]}.{found.id[:8]}{extension[:10]}"
        deps().objects.copy(image, key, {"loupe-by": people([by])})
        deps().objects.delete(found.key)

    return _each(body.ids, move, deps())


@router.post("/dataset/remove", middlewares=only(OPERATOR))
@checked(router)
def remove(body: Removal) -> dict[str, Any]:
    """Delete images from their folders; the bucket keeps their old versions."""
    return _each(body.ids, lambda found: deps().objects.delete(found.key), deps())


def _each(identities: Sequence[str], act: Callable[[Example], None], deps: Deps) -> dict[str, Any]:
    refused = {}
    for identity in dict.fromkeys(identities):
        try:
            act(_example(identity, deps))
        except LoupeError as error:
            refused[identity] = str(error)
    return many(identities, refused)


def _example(identity: str, deps: Deps) -> Example:
    found = deps.dataset.example_by_id(identity)
    if found is None:
        raise NotFound("There is no such labelled image (any more).")
    return found


def _versions_with(example: Example, deps: Deps) -> Any:
    uri = f"s3://{deps.objects.bucket}/{example.key}"
    for _, version in zip(range(VERSIONS_LOOKED_AT), deps.versions.newest(), strict=False):
        for split in SPLITS:
            try:
                manifest = deps.objects.read(manifest_key(version.name, split)).decode()
            except NotFound:
                continue  # The attempt failed before its snapshot was written.
            if any(entry.uri == uri for entry in parse(manifest)):
                yield {"name": version.name, "split": split}


def _shown(example: Example, deps: Deps) -> dict[str, Any]:
    return {
        "id": example.id,
        "image": example.key.removeprefix(LABELLED_PREFIX),
        "label": example.label,
        "status": example.status,
        "split": example.split if example.split in SPLITS else "",
        "source": example.source,
        "by": list(example.by),
        "at": example.at,
        "reason": _remark(example, deps),
        "picture": deps.pictures.show(example.key, _version_id(example)),
    }


def _remark(example: Example, deps: Deps) -> str:
    """What is true of its picture now; what was when it came is in its history."""
    if example.status != REGISTERED:
        return example.reason
    return remark(deps.dataset.group(example.group), example.key)


def _version_id(example: Example) -> str:
    """An object that is gone is shown by the version that was registered."""
    return example.version if example.status == REMOVED else ""
