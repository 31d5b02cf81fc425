"""Which labelled images are for training and which only for testing.

A group is one picture: its near duplicates are members and count once. Its side is decided when its
first member is registered, label by label, and never changes, so that scores of different versions
compare. The rules are pure; `services.labelled_images` applies them, one event at a time.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from loupe.domain.events import Event, make_event
from loupe.domain.keys import LABELLED_PREFIX, named_people, sort_key


class Split(StrEnum):
    """The use of an image: training, testing only, or neither."""

    TRAIN = "train"
    TEST = "test"
    NEITHER = "neither"


class ImageSource(StrEnum):
    """The source of a label: an upload, a review, or a review before the first model."""

    UPLOADED = "uploaded"
    REVIEWED = "reviewed"
    COLD_START = "cold start"
    UNKNOWN = ""
    """The image was rejected before its source was read."""


class LabelledImageStatus(StrEnum):
    """Whether an object of the bucket is a labelled image."""

    REGISTERED = "registered"
    REMOVED = "removed"
    REJECTED = "rejected"


SPLITS = (Split.TRAIN, Split.TEST)
DECIDED_ELSEWHERE = "Its side was decided in the stack that it comes from."


@dataclass(frozen=True)
class LabelledImage:
    """The record of one labelled object, in its version `version`.

    `attempts` is the number of trainings that had begun when that version arrived.
    """

    key: str
    label: str
    status: LabelledImageStatus
    at: str
    version: str
    group: str = ""
    split: str = ""
    source: ImageSource = ImageSource.UNKNOWN
    reviewers: int = 0
    reason: str = ""
    by: tuple[str, ...] = ()
    attempts: int = 0

    @property
    def name(self) -> str:
        """Its name for people: `cat/1.png`."""
        return self.key.removeprefix(LABELLED_PREFIX)

    @property
    def id(self) -> str:
        """32 hex digits derived from the key."""
        return hashed_key(self.key)

    @property
    def sort_key(self) -> str:
        """Its sort key in listings by time."""
        return sort_key(self.at, self.id)


def labelled_event(kind: str, image: LabelledImage, at: datetime, **detail: Any) -> Event:
    """An event that a version of a labelled image causes once."""
    return make_event(kind, f"{image.key}/{image.version}", at, image=image.key, **detail)


def hashed_key(key: str) -> str:
    """32 hex digits derived from the key of a labelled object."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


@dataclass(frozen=True)
class GroupMember:
    """One labelled object of the bucket. `attempts`: trainings that had begun at its arrival."""

    key: str
    label: str
    version: str
    content: str
    source: ImageSource = ImageSource.UPLOADED
    attempts: int = 0

    @property
    def name(self) -> str:
        """Its name for people: `cat/1.png`."""
        return self.key.removeprefix(LABELLED_PREFIX)


@dataclass(frozen=True)
class Group:
    """One picture and its near duplicates. `testable`: it may be for testing (see `may_test`)."""

    id: str
    split: Split
    testable: bool
    members: tuple[GroupMember, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(sorted({member.label for member in self.members}))

    @property
    def in_conflict(self) -> bool:
        """Whether the picture has several labels, of which an operator chooses one."""
        return len(self.labels) > 1

    def unused(self, attempts: int) -> int:
        """How many members that arrived after that many attempts add nothing to the dataset."""
        more = self.members if self.split == Split.NEITHER else self.members[1:]
        return sum(member.attempts == attempts for member in more)

    @property
    def entry(self) -> GroupMember | None:
        """The image that represents the picture in the dataset, or None.

        Two kinds of pictures are not used: one with two labels is a conflict, and one that
        resembles pictures of both sides would leak from training into the test.
        """
        if self.split == Split.NEITHER or len(self.labels) != 1:
            return None
        return self.members[0]


@dataclass(frozen=True)
class LabelCount:
    """Usable pictures of a label; `testable` counts those that may be for testing."""

    train: int = 0
    test: int = 0
    testable: int = 0


Counts = Mapping[str, LabelCount]


@dataclass(frozen=True)
class Change:
    """A group before and after an event, and the counts after it."""

    before: Group | None
    after: Group
    counts: Counts = field(default_factory=dict)
    reason: str = ""

    def unused(self, attempts: int) -> int:
        """How many more members, of those since that many attempts, add nothing new."""
        return self.after.unused(attempts) - (self.before.unused(attempts) if self.before else 0)

    @property
    def changes_dataset(self) -> bool:
        """Whether a training would see a difference: added, relabelled, replaced or removed."""
        return (self.before.entry if self.before else None) != self.after.entry


def provenance(metadata: Mapping[str, str]) -> dict[str, Any]:
    """Who labelled an object: reviewers, if its metadata says so, or the person who uploaded it."""
    by = named_people(metadata.get("loupe-by", ""))
    source = metadata.get("loupe-source", "").replace("-", " ")
    reviewers = metadata.get("loupe-reviewers", "")
    if source not in (ImageSource.REVIEWED, ImageSource.COLD_START) or not reviewers.isdecimal():
        return {"source": ImageSource.UPLOADED, "reviewers": 0, "by": by}
    return {"source": ImageSource(source), "reviewers": int(reviewers), "by": by}


def imported_split(metadata: Mapping[str, str]) -> Split | None:
    """The side of an imported image in the stack that it comes from; None for any other image."""
    split = metadata.get("loupe-split", "")
    return Split(split) if split in tuple(Split) else None


def may_test(source: ImageSource, agreeing_reviewers: int) -> bool:
    """Business rule: one reviewer alone may be wrong, and a wrong test image stays for ever."""
    return source in (ImageSource.UPLOADED, ImageSource.COLD_START) or agreeing_reviewers >= 2


def choose_split(count: LabelCount, testable: bool, holdout_percent: int) -> Split:
    """The side of a label's next picture.

    The second testable picture of a label is for testing, so that every label has one; after
    that a picture is for testing while `holdout_percent` of the testable ones is not reached.
    """
    if not testable or not count.testable:
        return Split.TRAIN
    test_images = max(1, (count.testable + 1) * holdout_percent // 100)
    return Split.TEST if count.test < test_images else Split.TRAIN


def add_member(
    member: GroupMember,
    agreeing_reviewers: int,
    matches: Sequence[Group],
    counts: Counts,
    holdout_percent: int,
    new_id: str,
    decided: Split | None = None,
) -> Change:
    """Register `member`, a labelled object; `matches` are groups that show the same picture.

    Business rule: the side that an image had in the stack that exported it (`decided`) stays, in
    whatever order images arrive.
    """
    before, testable = None, may_test(member.source, agreeing_reviewers)
    if decided:
        before = next((group for group in matches if group.split == decided), None)
        split = decided
    elif len({group.split for group in matches} - {Split.NEITHER}) == 2:
        split, testable = Split.NEITHER, False
    elif matches:
        before, split = matches[0], matches[0].split
    else:
        split = choose_split(counts.get(member.label, LabelCount()), testable, holdout_percent)
    group = before or Group(new_id, split, testable)
    after = replace(group, members=(*_without(group, member.key), member))
    reason = DECIDED_ELSEWHERE if decided else remark(after, member.key)
    return Change(before, after, _recount(counts, before, after), reason)


def remark(group: Group, key: str) -> str:
    """A remark for people on the labelled object `key` in `group`, or "".

    An object that was removed a moment ago is no longer a member.
    """
    if all(member.key != key for member in group.members):
        return ""
    if group.split == Split.NEITHER:
        return "It looks like images on both sides of the holdout, so it is used on neither."
    if group.in_conflict:
        copies = " and ".join(f"{member.label} ({member.name})" for member in group.members)
        return (
            f"The same picture is labelled {copies}, so it is not used: choose its label on the "
            "page Conflicts."
        )
    first = group.members[0]
    if first.key == key:
        return ""
    return f"It is the same picture as {first.name}, and counts once with it."


def remove_member(group: Group, key: str, counts: Counts) -> Change:
    """Remove the object `key`. The group stays, so that a picture that returns keeps its side."""
    after = replace(group, members=_without(group, key))
    return Change(group, after, _recount(counts, group, after))


def trainable_labels(counts: Counts) -> tuple[str, ...]:
    """Labels with at least one picture to train on and another to test with."""
    return tuple(sorted(label for label, n in counts.items() if n.train and n.test))


def underrepresented_labels(counts: Counts) -> tuple[str, ...]:
    """Labels that are left out of a training because they have pictures on one side only."""
    return tuple(sorted(label for label, n in counts.items() if bool(n.train) != bool(n.test)))


def _without(group: Group, key: str) -> tuple[GroupMember, ...]:
    return tuple(member for member in group.members if member.key != key)


def _recount(counts: Counts, before: Group | None, after: Group) -> Counts:
    recounted = dict(counts)
    for group, step in ((before, -1), (after, 1)):
        if group and (entry := group.entry):
            old = recounted.get(entry.label, LabelCount())
            recounted[entry.label] = LabelCount(
                train=old.train + step * (group.split == Split.TRAIN),
                test=old.test + step * (group.split == Split.TEST),
                testable=old.testable + step * group.testable,
            )
    return recounted
