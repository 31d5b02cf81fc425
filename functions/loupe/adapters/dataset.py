"""Labelled images, the groups that they form, and the counts that decide about training.

Only `register_image` and `earlier_conflicts` write here. Every write counts the revision of the
counts up, and happens only if it is still the one that was read first: so registrations are
serialised, and two copies of a picture that arrive together find each other.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from loupe.adapters.items import from_item, readable, to_item
from loupe.adapters.table import Item, Table, listed, save, update
from loupe.domain.events import Event
from loupe.domain.fingerprint import Fingerprint
from loupe.domain.labelled_images import (
    Change,
    Counts,
    Group,
    LabelCount,
    LabelledImage,
    LabelledImageStatus,
    hashed_key,
)
from loupe.domain.manifest import ManifestEntry
from loupe.domain.training import Progress


@dataclass(frozen=True)
class StoredCounts:
    """The item of the counts."""

    labels: Mapping[str, LabelCount] = field(default_factory=dict)
    revision: int = 0


@dataclass(frozen=True)
class LabelCounts:
    """The counts, their revision, and the attempt since which changes are counted."""

    counts: Counts
    revision: int
    attempts: int


class Dataset:
    """Examples, groups, bands and counts in the table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def labelled_image(self, key: str) -> LabelledImage | None:
        """The record of a labelled object, or None."""
        return self.labelled_image_by_id(hashed_key(key))

    def labelled_image_by_id(self, identity: str) -> LabelledImage | None:
        """The record of the labelled object with this `LabelledImage.id`, or None."""
        item = self._table.get(f"EXAMPLE#{identity}", "EXAMPLE")
        return None if item is None else from_item(LabelledImage, item)

    def group(self, group_id: str) -> Group:
        """A group that is known to exist."""
        item = self._table.get(f"GROUP#{group_id}", "GROUP")
        if item is None:
            raise LookupError(f"group {group_id} is missing from the table")
        return from_item(Group, item)

    def label_counts(self) -> LabelCounts:
        """The counts as they are now."""
        counts = from_item(StoredCounts, self._table.get("STATE", "COUNTS") or {})
        progress = from_item(Progress, self._table.get("STATE", "PROGRESS") or {})
        return LabelCounts(counts.labels, counts.revision, progress.attempts)

    def candidates(self, fingerprint: Fingerprint) -> Iterator[tuple[str, bytes]]:
        """(group, signature) of registered pictures that share a band with `fingerprint`."""
        seen = set()
        for band in fingerprint.bands:
            for item in self._table.children(f"BAND#{band}"):
                if item["sk"] not in seen:
                    seen.add(item["sk"])
                    yield item["group"], item["signature"]

    def register(
        self,
        example: LabelledImage,
        change: Change,
        ledger: LabelCounts,
        fingerprint: Fingerprint,
        more: Sequence[Item],
        events: Iterable[Event],
    ) -> None:
        """Write a new example, its group, what finds its near duplicates, and `more`."""
        bands = [
            save(
                {
                    "pk": f"BAND#{band}",
                    "sk": fingerprint.content,
                    "group": change.after.id,
                    "signature": fingerprint.signature,
                }
            )
            for band in fingerprint.bands
        ]
        self._write(example, change, ledger, [*bands, *more], events)

    def remove(
        self,
        example: LabelledImage,
        change: Change,
        ledger: LabelCounts,
        more: Sequence[Item],
        events: Iterable[Event],
    ) -> None:
        """Write that an example is gone, and `more`. Its picture stays known, and so its side."""
        self._write(example, change, ledger, more, events)

    def note(
        self,
        example: LabelledImage,
        before: LabelledImage | None,
        ledger: LabelCounts,
        events: Iterable[Event],
    ) -> None:
        """Write an example that touches no group: rejected, or removed after it was.

        Raises AlreadyDone when the record is not `before` any more.
        """
        unused = _unused(example, ledger.attempts) - _unused(before, ledger.attempts)
        condition, values = "attribute_not_exists(pk)", {}
        if before:
            condition = "version = :version_before AND list_state = :state_before"
            values = {
                "version_before": before.version,
                "state_before": f"EXAMPLE#{before.status}",
            }
        writes = [save(_example_item(example), condition, values)]
        self._table.write([*writes, *_progress(0, unused, example, ledger)], list(events))

    def amend(self, ledger: LabelCounts, writes: Sequence[Item]) -> None:
        """Write what changes no count, as long as nothing was registered since `ledger`.

        Raises AlreadyDone otherwise.
        """
        self._table.write([_next_revision(ledger.counts, ledger), *writes])

    def groups(self, after: str, page: int) -> Iterator[tuple[str, Group]]:
        """(position, group) behind a position, oldest first, `page` read at a time."""
        found = self._table.listing("listing", "GROUP", newest_first=False, after=after, page=page)
        yield from readable(lambda item: (item["at_id"], from_item(Group, item)), found)

    def entries(self, bucket: str) -> Iterator[tuple[str, ManifestEntry]]:
        """(split, entry) of every usable picture, oldest first."""
        found = self._table.listing("listing", "GROUP", newest_first=False)
        for at, group in readable(lambda item: (item["at"], from_item(Group, item)), found):
            if member := group.entry:
                yield (
                    group.split,
                    ManifestEntry(
                        uri=f"s3://{bucket}/{member.key}",
                        label=member.label,
                        content=member.content,
                        source=member.source,
                        at=at,
                    ),
                )

    def examples(
        self, status: str = "", before: str = "", page: int = 0
    ) -> Iterator[LabelledImage]:
        """Examples, newest first, of one status or of all; the range is `Table.listing`'s."""
        index, value = ("states", f"EXAMPLE#{status}") if status else ("listing", "EXAMPLE")
        found = self._table.listing(index, value, before=before, page=page)
        yield from readable(lambda item: from_item(LabelledImage, item), found)

    def _write(
        self,
        example: LabelledImage,
        change: Change,
        ledger: LabelCounts,
        more: Sequence[Item],
        events: Iterable[Event],
    ) -> None:
        group_item = self._table.get(f"GROUP#{change.after.id}", "GROUP") or {}
        counted = group_item.get("changed_in") == ledger.attempts
        writes = [
            save(_example_item(example)),
            save(
                to_item(change.after)
                | {
                    "pk": f"GROUP#{change.after.id}",
                    "sk": "GROUP",
                    "at": group_item.get("at", example.at),
                    **listed("GROUP", group_item.get("at", example.at), change.after.id),
                    "changed_in": ledger.attempts
                    if change.changes_dataset
                    else group_item.get("changed_in", -1),
                }
            ),
            _next_revision(change.counts, ledger),
            *more,
        ]
        rejected = _unused(self.labelled_image(example.key), ledger.attempts)
        changes = int(change.changes_dataset and not counted)
        writes += _progress(changes, change.unused(ledger.attempts) - rejected, example, ledger)
        self._table.write(writes, list(events))


def _next_revision(counts: Counts, ledger: LabelCounts) -> Item:
    """The write of the counts; fails when something was registered since `ledger` was read."""
    return save(
        {"pk": "STATE", "sk": "COUNTS"} | to_item(StoredCounts(counts, ledger.revision + 1)),
        "attribute_not_exists(pk) OR revision = :revision_before",
        {"revision_before": ledger.revision},
    )


def _unused(example: LabelledImage | None, attempts: int) -> int:
    """1 for an object that was rejected after that many attempts, else 0."""
    return int(
        bool(
            example
            and example.status == LabelledImageStatus.REJECTED
            and example.attempts == attempts
        )
    )


def _progress(changes: int, unused: int, example: LabelledImage, ledger: LabelCounts) -> list[Item]:
    """The write that counts what the next training sees, and what it cannot use."""
    if not changes and not unused:
        return []
    values: Item = {"changes": changes, "unused": unused, "attempts": ledger.attempts}
    expression = "ADD changes :changes, unused :unused"
    if unused > 0:
        values |= {"image": example.name, "why": example.reason}
        expression = f"SET unused_image = :image, unused_why = :why {expression}"
    same_attempt = "attribute_not_exists(attempts) OR attempts = :attempts"
    return [update("STATE", "PROGRESS", expression, values, same_attempt)]


def _example_item(example: LabelledImage) -> Item:
    return to_item(example) | {
        "pk": f"EXAMPLE#{example.id}",
        "sk": "EXAMPLE",
        **listed("EXAMPLE", example.at, example.id, example.status),
    }
