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
ON_NEITHER = "It looks like images on both sides of the holdout, so it is used on neither."
ON_NEITHER_IN_SERIES = (
    "It is used on neither side of the holdout: its series is on one side and it looks like images "
    "on the other, or its series is for testing and one reviewer alone has labelled it."
)
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
    """One labelled object of the bucket. `attempts`: trainings that had begun at its arrival.
    `series`: the id of its series, or "".
    """

    key: str
    label: str
    version: str
    content: str
    source: ImageSource = ImageSource.UPLOADED
    attempts: int = 0
    series: str = ""

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
    """Usable pictures of a label; `testable` counts those that may be for testing.

    `repeats` are those of the testable ones, and `test_repeats` of those for testing, that are not
    the first of their series.
    """

    train: int = 0
    test: int = 0
    testable: int = 0
    repeats: int = 0
    test_repeats: int = 0


Counts = Mapping[str, LabelCount]


@dataclass(frozen=True)
class Series:
    """Images that belong together. Their side, once it is decided, never changes.

    `pictures` counts by label the usable pictures in it that may be for testing.
    """

    id: str
    split: Split | None = None
    pictures: Mapping[str, int] = field(default_factory=dict)


AllSeries = Mapping[str, Series]
"""Series by id."""
CONFIRMED = 2
"""The number of reviewers that an operator counts for: the image may be tested with."""
NO_SERIES: AllSeries = {}


@dataclass(frozen=True)
class Change:
    """A group before and after an event, and the counts and series after it."""

    before: Group | None
    after: Group
    counts: Counts = field(default_factory=dict)
    reason: str = ""
    series: AllSeries = field(default_factory=dict)

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
    """The side of a label's next picture. A series counts as one picture.

    The second testable picture of a label is for testing, so that every label has one; after
    that a picture is for testing while `holdout_percent` of the testable ones is not reached.
    """
    of_testable, of_test = count.testable - count.repeats, count.test - count.test_repeats
    if not testable or not of_testable:
        return Split.TRAIN
    test_images = max(1, (of_testable + 1) * holdout_percent // 100)
    return Split.TEST if of_test < test_images else Split.TRAIN


def add_member(
    member: GroupMember,
    agreeing_reviewers: int,
    matches: Sequence[Group],
    counts: Counts,
    holdout_percent: int,
    new_id: str,
    decided: Split | None = None,
    series: AllSeries = NO_SERIES,
) -> Change:
    """Register `member`, a labelled object; `matches` are groups that show the same picture.

    `series` are those of the member and of the members of `matches`. Business rule: the side that
    an image had in the stack that exported it (`decided`) stays, in whatever order images arrive.
    """
    before, testable = None, may_test(member.source, agreeing_reviewers)
    own = series.get(member.series)
    sides = {group.split for group in matches} | {own.split if own and own.split else Split.NEITHER}
    if decided:
        before = next((group for group in matches if group.split == decided), None)
        split = decided
    elif len(sides - {Split.NEITHER}) == 2:
        split, testable = Split.NEITHER, False
    elif matches:
        before, split = matches[0], matches[0].split
    elif own and own.split:
        split = own.split if testable or own.split == Split.TRAIN else Split.NEITHER
    else:
        split = choose_split(counts.get(member.label, LabelCount()), testable, holdout_percent)
    if own and not own.split and split != Split.NEITHER:
        series = {**series, own.id: replace(own, split=split)}
    group = before or Group(new_id, split, testable)
    after = replace(group, members=(*_without(group, member.key), member))
    reason = DECIDED_ELSEWHERE if decided else remark(after, member.key)
    recounted, series = _recount(counts, series, before, after)
    return Change(before, after, recounted, reason, series)


def remark(group: Group, key: str) -> str:
    """A remark for people on the labelled object `key` in `group`, or "".

    An object that was removed a moment ago is no longer a member.
    """
    if all(member.key != key for member in group.members):
        return ""
    if group.split == Split.NEITHER:
        return ON_NEITHER_IN_SERIES if any(m.series for m in group.members) else ON_NEITHER
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


def remove_member(group: Group, key: str, counts: Counts, series: AllSeries = NO_SERIES) -> Change:
    """Remove the object `key`. The group stays, so that a picture that returns keeps its side.

    `series` are those of the group's members.
    """
    after = replace(group, members=_without(group, key))
    recounted, series = _recount(counts, series, group, after)
    return Change(group, after, recounted, series=series)


def trainable_labels(counts: Counts) -> tuple[str, ...]:
    """Labels with at least one picture to train on and another to test with."""
    return tuple(sorted(label for label, n in counts.items() if n.train and n.test))


def underrepresented_labels(counts: Counts) -> tuple[str, ...]:
    """Labels that are left out of a training because they have pictures on one side only."""
    return tuple(sorted(label for label, n in counts.items() if bool(n.train) != bool(n.test)))


def _without(group: Group, key: str) -> tuple[GroupMember, ...]:
    return tuple(member for member in group.members if member.key != key)


def _recount(
    counts: Counts, series: AllSeries, before: Group | None, after: Group
) -> tuple[Counts, AllSeries]:
    """The counts of labels and of series after a change of one group."""
    recounted, regrouped = dict(counts), dict(series)
    for group, step in ((before, -1), (after, 1)):
        if group and (entry := group.entry):
            old = recounted.get(entry.label, LabelCount())
            own, repeats = regrouped.get(entry.series), 0
            if own and group.testable:
                pictures = own.pictures.get(entry.label, 0)
                # The first to come and the last to go is no repeat.
                repeats = step * (pictures + step >= 1 and pictures >= 1)
                counted = {**own.pictures, entry.label: pictures + step}
                regrouped[own.id] = replace(own, pictures=counted)
            is_test = group.split == Split.TEST
            recounted[entry.label] = LabelCount(
                train=old.train + step * (group.split == Split.TRAIN),
                test=old.test + step * is_test,
                testable=old.testable + step * group.testable,
                repeats=old.repeats + repeats,
                test_repeats=old.test_repeats + repeats * is_test,
            )
    return recounted, regrouped
