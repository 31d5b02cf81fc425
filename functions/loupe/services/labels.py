"""The operator's hand on labels: describe, rename and merge them."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from loupe.domain.keys import check_label, people, timestamp
from loupe.domain.labelled_images import (
    ImageSource,
    LabelCount,
    LabelledImage,
    LabelledImageStatus,
    hashed_key,
)
from loupe.domain.labels import LabelNote, check_note
from loupe.errors import AlreadyDone, InvalidRequest, LoupeError
from loupe.services.dataset import key_under, labelled_image, move_image
from loupe.wiring import Deps


@dataclass(frozen=True)
class LabelEntry:
    """A label, its usable images and what reviewers see of it."""

    label: str
    count: LabelCount
    note: LabelNote


@dataclass(frozen=True)
class Moved:
    """How many images were moved, why others were not, and whether there are more to move."""

    moved: int
    failed: dict[str, str]
    more: bool = False


def every_label(deps: Deps) -> list[LabelEntry]:
    """Labels of the dataset, of the setting, and those that are only described."""
    counts = {
        label: count
        for label, count in deps.dataset.label_counts().by_label.items()
        if count != LabelCount()
    }
    notes = deps.labels.notes()
    names = sorted({*counts, *notes, *deps.parameters.settings().labels})
    return [
        LabelEntry(name, counts.get(name, LabelCount()), notes.get(name, LabelNote(name)))
        for name in names
    ]


def describe(
    label: str,
    by: str,
    deps: Deps,
    description: str | None = None,
    references: Sequence[str] | None = None,
) -> LabelNote:
    """Say what reviewers see of a label; what is None stays. `references`: ids of
    labelled images.

    Raises NotFound for a reference that is no labelled image, InvalidRequest for too much.
    """
    note = replace(deps.labels.note(check_label(label)), by=by, at=timestamp(deps.clock()))
    if description is not None:
        note = replace(note, description=description.strip())
    if references is not None:
        note = replace(note, references=tuple(labelled_image(each, deps).id for each in references))
    deps.labels.write(check_note(note))
    return note


def reference_images(note: LabelNote, deps: Deps) -> list[LabelledImage]:
    """The reference images of a label that are still labelled images."""
    images = (deps.dataset.labelled_image_by_id(each) for each in note.references)
    return [i for i in images if i and i.status == LabelledImageStatus.REGISTERED]


def rename(old: str, new: str, by: str, deps: Deps, limit: int | None = None) -> Moved:
    """Move all images of `old` to `new`, a label without images; raises InvalidRequest if not."""
    if deps.dataset.label_counts().by_label.get(check_label(new), LabelCount()) != LabelCount():
        raise InvalidRequest(
            f"{new!r} has images already: merge {old!r} into it, which also ends a renaming that "
            "was interrupted."
        )
    return merge(old, new, by, deps, limit)


def merge(old: str, into: str, by: str, deps: Deps, limit: int | None = None) -> Moved:
    """Move images of `old` (`limit` of them) to another label, and its note unless that has one.

    An image keeps its side of the holdout, because it shows the same picture. The order may be
    given again until nothing is left; images that were moved before are not looked at again.
    """
    if check_label(into) == old:
        raise InvalidRequest(f"{old!r} cannot be merged into itself: name another label.")
    moved, failed = 0, dict[str, str]()
    for image in deps.dataset.labelled_images(LabelledImageStatus.REGISTERED):
        if image.label != old:
            continue
        if moved == limit:
            return Moved(moved, failed, more=True)
        try:
            moved += move_image(image, into, _provenance(image), deps)
        except LoupeError as error:
            failed[image.name] = str(error)
    if not failed:
        _move_note(old, into, by, deps)
    return Moved(moved, failed)


def _provenance(image: LabelledImage) -> dict[str, str]:
    """The metadata that says who labelled an image: a renaming is no judgement."""
    metadata = {"loupe-by": people(image.by)}
    if image.source in (ImageSource.REVIEWED, ImageSource.COLD_START):
        metadata["loupe-source"] = image.source.replace(" ", "-")
        metadata["loupe-reviewers"] = str(image.reviewers)
    return metadata


def _move_note(old: str, into: str, by: str, deps: Deps) -> None:
    note, there = deps.labels.note(old), deps.labels.note(into)
    if note == LabelNote(old):
        return
    if there == LabelNote(into):
        images = (deps.dataset.labelled_image_by_id(each) for each in note.references)
        references = tuple(hashed_key(key_under(into, image)) for image in images if image)
        at = timestamp(deps.clock())
        deps.labels.write(LabelNote(into, note.description, references, by, at))
    with suppress(AlreadyDone):
        deps.labels.forget(old)
