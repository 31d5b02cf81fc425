"""Labelled images, the groups that they form, and the counts that decide about training.

Only `register_image` and `earlier_conflicts` write here. Every write raises the revision of the
counts, on the condition that nothing raised it since the counts were read. So registrations are
serialised, and two copies of a picture that arrive together are recognised as one picture.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from loupe.adapters.items import from_item, readable, to_item
from loupe.adapters.table import Item, TableAdapter, listed, save, unchanged, update
from loupe.domain.events import Event
from loupe.domain.fingerprint import Fingerprint
from loupe.domain.labelled_images import (
    Change,
    Counts,
    Group,
    LabelCount,
    LabelledImage,
    LabelledImageStatus,
    Series,
    hashed_key,
)
from loupe.domain.manifest import ManifestEntry
from loupe.domain.stored_names import stored_as
from loupe.domain.training import Progress

LABELLED_IMAGE = "EXAMPLE"


@dataclass(frozen=True)
class LabelCounts:
    """Usable pictures by label, the revision of these counts, and how many trainings have begun."""

    by_label: Mapping[str, LabelCount] = field(default_factory=dict, metadata=stored_as("labels"))
    revision: int = 0
    attempts: int = 0


class Dataset(TableAdapter):
    """Labelled images, groups, fingerprints and counts in the table."""

    def labelled_image(self, key: str) -> LabelledImage | None:
        """The record of a labelled object, or None."""
        return self.labelled_image_by_id(hashed_key(key))

    def labelled_image_by_id(self, identity: str) -> LabelledImage | None:
        """The record of the labelled object with this `LabelledImage.id`, or None."""
        item = self._table.get(f"{LABELLED_IMAGE}#{identity}", LABELLED_IMAGE)
        return None if item is None else from_item(LabelledImage, item)

    def labelled_images(
        self, status: str = "", before: str = "", page: int = 0
    ) -> Iterator[LabelledImage]:
        """Records, newest first, of one status or of all; the range is `Table.listing`'s."""
        items = self._table.listing(LABELLED_IMAGE, status, before=before, page=page)
        return readable(lambda item: from_item(LabelledImage, item), items)

    def group(self, group_id: str) -> Group:
        """The group with this id, which exists."""
        item = self._table.get(f"GROUP#{group_id}", "GROUP")
        if item is None:
            raise LookupError(f"group {group_id} is missing from the table")
        return from_item(Group, item)

    def series(self, ids: Iterable[str]) -> Mapping[str, Series]:
        """The series with these ids; one that has no image yet is new. "" is no series."""
        items = {each: self._table.get(f"SERIES#{each}", "SERIES") for each in ids if each}
        return {
            each: from_item(Series, item) if item else Series(each) for each, item in items.items()
        }

    def groups(self, after: str, page: int) -> Iterator[tuple[str, Group]]:
        """(sort key, group) behind a sort key, oldest first, `page` read at a time."""
        items = self._table.listing("GROUP", newest_first=False, after=after, page=page)
        return readable(lambda item: (item["at_id"], from_item(Group, item)), items)

    def entries(self, bucket: str) -> Iterator[tuple[str, ManifestEntry]]:
        """(split, entry) of every usable picture, oldest first."""
        items = self._table.listing("GROUP", newest_first=False)
        for at, group in readable(lambda item: (item["at"], from_item(Group, item)), items):
            if member := group.entry:
                uri = f"s3://{bucket}/{member.key}"
                entry = ManifestEntry(uri, member.label, member.content, member.source, at)
                yield group.split, entry

    def label_counts(self) -> LabelCounts:
        """The counts as they are now."""
        item = self._table.get("STATE", "COUNTS") or {}
        progress = from_item(Progress, self._table.get("STATE", "PROGRESS") or {})
        return replace(from_item(LabelCounts, item), attempts=progress.attempts)

    def candidates(self, fingerprint: Fingerprint) -> Iterator[tuple[str, bytes]]:
        """(group, signature) of registered pictures that share a band with `fingerprint`."""
        contents = set()
        for band in fingerprint.bands:
            for item in self._table.children(f"BAND#{band}"):
                if item["sk"] not in contents:
                    contents.add(item["sk"])
                    yield item["group"], item["signature"]

    def write(
        self,
        image: LabelledImage,
        change: Change,
        label_counts: LabelCounts,
        more: Sequence[Item],
        events: Sequence[Event],
    ) -> None:
        """Write an image that was registered or removed, its changed group, and `more` writes.

        A group that has lost its last image stays, and so does its side.
        """
        attempts = label_counts.attempts
        before = self._table.get(f"GROUP#{change.after.id}", "GROUP") or {}
        changed_in = before.get("changed_in", -1)
        group = to_item(change.after) | {
            "pk": f"GROUP#{change.after.id}",
            "sk": "GROUP",
            "at": before.get("at", image.at),
            **listed("GROUP", before.get("at", image.at), change.after.id),
            "changed_in": attempts if change.changes_dataset else changed_in,
        }
        changes = int(change.changes_dataset and changed_in != attempts)
        unused = change.unused(attempts) - _unused(self.labelled_image(image.key), attempts)
        writes = [
            save(_image_item(image)),
            save(group),
            *(_series_item(series) for series in change.series.values()),
            _next_revision(change.counts, label_counts),
            *more,
            *_progress(changes, unused, image, label_counts),
        ]
        self._table.write(writes, events)

    def note(
        self,
        image: LabelledImage,
        before: LabelledImage | None,
        label_counts: LabelCounts,
        events: Sequence[Event],
    ) -> None:
        """Write an image that is in no group: one that is rejected, or removed after that.

        Raises AlreadyDone when the record is not `before` any more.
        """
        attempts = label_counts.attempts
        unused = _unused(image, attempts) - _unused(before, attempts)
        state = f"{LABELLED_IMAGE}#{before.status}" if before else ""
        condition = unchanged({"version": before.version, "list_state": state} if before else None)
        writes = [save(_image_item(image), *condition), *_progress(0, unused, image, label_counts)]
        self._table.write(writes, events)

    def amend(self, label_counts: LabelCounts, writes: Sequence[Item]) -> None:
        """Write what changes no count, unless something was registered since `label_counts`.

        Raises AlreadyDone in that case.
        """
        self._table.write([_next_revision(label_counts.by_label, label_counts), *writes])


def bands(fingerprint: Fingerprint, group_id: str) -> list[Item]:
    """Writes by which near duplicates of a picture find its group."""
    band = {"sk": fingerprint.content, "group": group_id, "signature": fingerprint.signature}
    return [save(band | {"pk": f"BAND#{name}"}) for name in fingerprint.bands]


def _series_item(series: Series) -> Item:
    return save({"pk": f"SERIES#{series.id}", "sk": "SERIES", **to_item(series)})


def _next_revision(counts: Counts, before: LabelCounts) -> Item:
    """The write of the counts; it fails when something was registered since `before` was read."""
    item = to_item(LabelCounts(counts, before.revision + 1))
    del item["attempts"]
    return save(
        item | {"pk": "STATE", "sk": "COUNTS"},
        "attribute_not_exists(pk) OR revision = :revision_before",
        {"revision_before": before.revision},
    )


def _unused(image: LabelledImage | None, attempts: int) -> int:
    """1 for an object that was rejected after that many attempts, else 0."""
    if image is None or image.status != LabelledImageStatus.REJECTED:
        return 0
    return int(image.attempts == attempts)


def _progress(
    changes: int, unused: int, image: LabelledImage, label_counts: LabelCounts
) -> list[Item]:
    """The write that counts what the next training sees, and what it cannot use."""
    if not changes and not unused:
        return []
    values: Item = {"changes": changes, "unused": unused, "attempts": label_counts.attempts}
    expression = "ADD changes :changes, unused :unused"
    if unused > 0:
        values |= {"image": image.name, "why": image.reason}
        expression = f"SET unused_image = :image, unused_why = :why {expression}"
    same_attempt = "attribute_not_exists(attempts) OR attempts = :attempts"
    return [update("STATE", "PROGRESS", expression, values, same_attempt)]


def _image_item(image: LabelledImage) -> Item:
    item = {"pk": f"{LABELLED_IMAGE}#{image.id}", "sk": LABELLED_IMAGE, **to_item(image)}
    return item | listed(LABELLED_IMAGE, image.at, image.id, image.status)
