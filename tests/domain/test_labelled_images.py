"""Business rule: a fixed, fair, leak-free holdout, whose counts always equal a recount."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loupe.domain.labelled_images import (
    AllSeries,
    Change,
    Counts,
    Group,
    GroupMember,
    ImageSource,
    LabelCount,
    Series,
    Split,
    add_member,
    may_test,
    remark,
    remove_member,
    trainable_labels,
    underrepresented_labels,
)


@dataclass
class Register:
    """A dataset in memory: what the handler does, without the table."""

    holdout: int = 20
    groups: dict[str, Group] = field(default_factory=dict)
    counts: Counts = field(default_factory=dict)
    series: AllSeries = field(default_factory=dict)

    def add(
        self,
        key: str,
        label: str,
        looks_like: tuple[str, ...] = (),
        source: ImageSource = ImageSource.UPLOADED,
        reviewers: int = 0,
        series: str = "",
    ) -> Change:
        """Register an image that shows the same picture as the groups of the given keys."""
        matches = sorted({self.of(other).id for other in looks_like})
        member = GroupMember(key, label, "1", f"content of {key}", source, series=series)
        change = add_member(
            member,
            reviewers,
            [self.groups[group] for group in matches],
            self.counts,
            self.holdout,
            f"group {len(self.groups):04d}",
            series={series: Series(series), **self.series} if series else self.series,
        )
        return self.take(change)

    def remove(self, key: str) -> Change:
        return self.take(remove_member(self.of(key), key, self.counts, self.series))

    def take(self, change: Change) -> Change:
        self.groups[change.after.id] = change.after
        self.counts, self.series = change.counts, change.series
        return change

    def of(self, key: str) -> Group:
        return next(g for g in self.groups.values() if any(m.key == key for m in g.members))

    def entries(self, split: str) -> list[GroupMember]:
        return [g.entry for g in self.groups.values() if g.split == split and g.entry]

    def recount(self) -> Counts:
        counts: dict[str, LabelCount] = {}
        seen: set[tuple[str, str]] = set()
        for group in self.groups.values():
            if entry := group.entry:
                old, is_test = counts.get(entry.label, LabelCount()), group.split == Split.TEST
                is_repeat = group.testable and (entry.label, entry.series) in seen
                if group.testable and entry.series:
                    seen.add((entry.label, entry.series))
                counts[entry.label] = LabelCount(
                    old.train + (group.split == Split.TRAIN),
                    old.test + is_test,
                    old.testable + group.testable,
                    old.repeats + is_repeat,
                    old.test_repeats + (is_repeat and is_test),
                )
        return counts


def nonzero(counts: Counts) -> Counts:
    return {label: count for label, count in counts.items() if count != LabelCount()}


# The side of an image


def test_of_five_images_at_twenty_percent_exactly_one_is_for_testing() -> None:
    register = Register(holdout=20)

    for number in range(5):
        register.add(f"{number}", "cat")

    assert register.counts["cat"] == LabelCount(train=4, test=1, testable=5)


@given(st.lists(st.sampled_from("abc"), max_size=60), st.integers(10, 50))
def test_every_label_has_a_test_image_from_its_second_testable_image_on(
    labels: list[str], percent: int
) -> None:
    register = Register(holdout=percent)

    for number, label in enumerate(labels):
        register.add(f"{number}", label)
        if labels[: number + 1].count(label) >= 2:
            assert register.counts[label].test >= 1
            assert register.counts[label].train >= 1


@given(st.integers(10, 50), st.integers(20, 120))
def test_the_share_for_testing_is_that_of_the_setting(percent: int, images: int) -> None:
    register = Register(holdout=percent)

    for number in range(images):
        register.add(f"{number}", "cat")

    assert abs(register.counts["cat"].test - images * percent / 100) <= 1


def test_a_rare_label_keeps_its_share_beside_a_common_one() -> None:
    register = Register()

    for number in range(100):
        register.add(f"common {number}", "common")
    for number in range(5):
        register.add(f"rare {number}", "rare")

    assert register.counts["rare"].test == 1
    assert register.counts["common"].test == 20


def test_an_image_that_one_reviewer_labelled_is_only_trained_on() -> None:
    register = Register()

    for number in range(30):
        register.add(f"{number}", "cat", source=ImageSource.REVIEWED, reviewers=1)

    assert register.counts["cat"] == LabelCount(train=30, test=0, testable=0)


@pytest.mark.parametrize(
    ("source", "reviewers", "allowed"),
    [
        (ImageSource.UPLOADED, 0, True),
        (ImageSource.COLD_START, 1, True),
        (ImageSource.REVIEWED, 1, False),
        (ImageSource.REVIEWED, 2, True),
        (ImageSource.REVIEWED, 3, True),
    ],
)
def test_who_labelled_an_image_decides_whether_it_may_be_tested_with(
    source: ImageSource, reviewers: int, allowed: bool
) -> None:
    assert may_test(source, reviewers) is allowed


# The same picture again


def test_near_duplicates_count_once_and_stay_on_one_side() -> None:
    register = Register()
    register.add("first", "cat")
    test_picture = register.add("second", "cat").after

    copy = register.add("second, smaller", "cat", looks_like=("second",))

    assert test_picture.split == Split.TEST
    assert copy.after.split == Split.TEST
    assert copy.after.id == test_picture.id
    assert register.counts["cat"] == LabelCount(train=1, test=1, testable=2)
    assert not copy.changes_dataset


def test_an_image_that_bridges_both_sides_is_used_on_neither() -> None:
    register = Register()
    register.add("trained", "cat")
    register.add("tested", "cat")
    before = register.counts

    bridge = register.add("both", "cat", looks_like=("trained", "tested"))

    assert bridge.after.split == Split.NEITHER
    assert bridge.after.entry is None
    assert register.counts == before
    assert not bridge.changes_dataset
    assert "neither" in bridge.reason


def test_a_copy_of_a_bridge_is_used_on_neither_too() -> None:
    register = Register()
    register.add("trained", "cat")
    register.add("tested", "cat")
    register.add("both", "cat", looks_like=("trained", "tested"))

    again = register.add("both again", "cat", looks_like=("both",))

    assert again.after.split == Split.NEITHER


def test_one_picture_under_two_labels_is_used_under_neither_until_one_is_removed() -> None:
    register = Register()
    register.add("a", "cat")

    conflict = register.add("b", "dog", looks_like=("a",))

    assert conflict.after.labels == ("cat", "dog")
    assert conflict.after.entry is None
    assert conflict.changes_dataset
    assert nonzero(register.counts) == {}

    solved = register.remove("a")

    assert solved.after.entry is not None
    assert solved.after.entry.label == "dog"
    assert nonzero(register.counts) == {"dog": LabelCount(train=1, testable=1)}


def test_a_picture_that_comes_back_is_on_the_side_that_it_was_on() -> None:
    register = Register()
    register.add("first", "cat")
    register.add("second", "cat")
    gone = register.remove("second").after

    back = add_member(
        GroupMember("second", "cat", "2", "content"), 0, [gone], register.counts, 20, "new"
    )

    assert gone.members == ()
    assert back.after.split == Split.TEST
    assert back.after.id == gone.id


def test_replacing_an_object_by_the_same_picture_leaves_one_member() -> None:
    register = Register()
    register.add("a", "cat")

    again = register.add("a", "cat", looks_like=("a",))

    assert [member.key for member in again.after.members] == ["a"]
    assert register.counts["cat"].train == 1


# Series


def test_a_series_counts_as_one_picture_in_the_share_for_testing() -> None:
    """Ten frames of the first video are for training, those of the second for testing."""
    register = Register()

    for frame in range(10):
        register.add(f"first {frame}", "cat", series="first")
    for frame in range(10):
        register.add(f"second {frame}", "cat", series="second")
    register.add("alone", "cat")

    assert register.counts["cat"] == LabelCount(
        train=11, test=10, testable=21, repeats=18, test_repeats=9
    )


def test_a_series_keeps_its_side_when_all_its_images_are_gone() -> None:
    register = Register()
    register.add("other", "cat")
    register.add("frame 1", "cat", series="video")
    register.remove("frame 1")

    again = register.add("frame 2", "dog", series="video")

    assert again.after.split == Split.TEST


def test_an_image_of_a_series_that_looks_like_one_of_the_other_side_is_used_on_neither() -> None:
    register = Register()
    register.add("trained", "cat")
    register.add("frame 1", "cat", series="video")

    found = register.add("frame 2", "cat", looks_like=("trained",), series="video")

    assert register.of("frame 1").split == Split.TEST
    assert found.after.split == Split.NEITHER
    assert "its series is on one side" in found.reason


def test_a_series_takes_the_side_of_the_picture_that_its_first_image_shows() -> None:
    register = Register()
    register.add("trained", "cat")
    register.add("tested", "cat")

    register.add("frame 1", "cat", looks_like=("tested",), series="video")

    assert register.add("frame 2", "cat", series="video").after.split == Split.TEST


def test_one_reviewers_image_of_a_series_for_testing_is_used_on_neither_side() -> None:
    register = Register()
    register.add("other", "cat")
    register.add("frame 1", "cat", series="video")

    alone = register.add("frame 2", "cat", source=ImageSource.REVIEWED, reviewers=1, series="video")
    agreed = register.add(
        "frame 3", "cat", source=ImageSource.REVIEWED, reviewers=2, series="video"
    )

    assert alone.after.split == Split.NEITHER
    assert agreed.after.split == Split.TEST


# Any sequence of events

Step = tuple[str, int, str, tuple[int, ...], int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "add", "add", "remove"]),
        st.integers(0, 12),
        st.sampled_from(["cat", "dog", "日本"]),
        st.lists(st.integers(0, 12), max_size=2).map(tuple),
        st.integers(0, 2),
    ),
    max_size=40,
)


def played(steps: list[Step], holdout: int = 20) -> tuple[Register, list[str]]:
    """The dataset after the steps, and every change of a group's side that was seen."""
    register, moved = Register(holdout), []
    present: set[str] = set()
    for action, number, label, like, reviewers in steps:
        key = f"image {number}"
        sides = {g.id: g.split for g in register.groups.values()}
        if action == "remove" and key in present:
            register.remove(key)
            present.discard(key)
        elif action == "add" and key not in present:
            others = tuple(f"image {n}" for n in like if f"image {n}" in present)
            source = ImageSource.REVIEWED if reviewers else ImageSource.UPLOADED
            series = ("", "video 1", "video 2", "part")[number % 4]
            register.add(key, label, others, source, reviewers, series)
            present.add(key)
        moved += [g for g, side in sides.items() if register.groups[g].split != side]
    return register, moved


@given(STEPS)
def test_counts_always_equal_a_recount_of_the_groups(steps: list[Step]) -> None:
    register, _ = played(steps)

    assert nonzero(register.counts) == nonzero(register.recount())


@given(STEPS)
def test_the_side_of_a_picture_never_changes(steps: list[Step]) -> None:
    _, moved = played(steps)

    assert moved == []


@given(STEPS)
def test_a_series_is_on_one_side(steps: list[Step]) -> None:
    register, _ = played(steps)

    sides: dict[str, set[Split]] = {}
    for group in register.groups.values():
        for each in group.members:
            if each.series and group.split != Split.NEITHER:
                sides.setdefault(each.series, set()).add(group.split)
    assert all(len(found) == 1 for found in sides.values())


@given(STEPS)
def test_no_picture_is_on_both_sides(steps: list[Step]) -> None:
    register, _ = played(steps)

    trained = {entry.key for entry in register.entries(Split.TRAIN)}
    tested = {entry.key for entry in register.entries(Split.TEST)}
    assert not trained & tested


@given(STEPS)
def test_what_one_reviewer_labelled_alone_is_never_a_picture_of_its_own_to_test_with(
    steps: list[Step],
) -> None:
    register, _ = played(steps)

    assert all(group.testable for group in register.groups.values() if group.split == Split.TEST)


# Labels that can be trained


def test_labels_with_an_image_on_each_side_can_be_trained_and_others_are_named() -> None:
    counts = {
        "ready": LabelCount(3, 1, 4),
        "untested": LabelCount(5, 0, 0),
        "untrained": LabelCount(0, 1, 1),
        "gone": LabelCount(),
    }

    assert trainable_labels(counts) == ("ready",)
    assert underrepresented_labels(counts) == ("untested", "untrained")


@given(st.permutations(range(4)))
def test_imported_images_keep_their_sides_in_whatever_order_they_arrive(order: list[int]) -> None:
    """A picture on each side, one like the second, and one that bridges both."""
    sides = [Split.TRAIN, Split.TEST, Split.TEST, Split.NEITHER]
    groups: dict[str, Group] = {}
    counts: Counts = {}
    for number in order:
        matches = list(groups.values())  # all look alike
        change = add_member(
            GroupMember(f"{number}.png", "cat", "v", str(number)),
            0,
            matches,
            counts,
            20,
            f"new {number}",
            sides[number],
        )
        groups[change.after.id], counts = change.after, change.counts

    found = {m.key: group.split for group in groups.values() for m in group.members}
    assert found == {f"{number}.png": side for number, side in enumerate(sides)}
    assert (counts["cat"].train, counts["cat"].test) == (1, 1)


# What is said of an image


def test_a_copy_is_said_to_count_once_with_the_first() -> None:
    group = Group("g", Split.TRAIN, True, (member("cat/1.png"), member("cat/2.png")))

    assert remark(group, "images_labeled_by_folder/cat/1.png") == ""
    said = remark(group, "images_labeled_by_folder/cat/2.png")
    assert said == "It is the same picture as cat/1.png, and counts once with it."


def test_nothing_is_said_of_an_object_that_was_removed_meanwhile() -> None:
    for group in (
        Group("g", Split.TRAIN, True),
        Group("g", Split.NEITHER, False),
        Group("g", Split.TRAIN, True, (member("cat/2.png"),)),
    ):
        assert remark(group, "images_labeled_by_folder/cat/1.png") == ""


def test_a_picture_under_two_labels_is_said_to_be_used_under_neither() -> None:
    group = Group("g", Split.TRAIN, True, (member("cat/1.png"), member("dog/1.png")))

    for key in ("cat/1.png", "dog/1.png"):
        said = remark(group, f"images_labeled_by_folder/{key}")
        assert "cat (cat/1.png) and dog (dog/1.png)" in said
        assert "counts once" not in said


def test_a_picture_on_both_sides_is_said_to_be_used_on_neither() -> None:
    group = Group("g", Split.NEITHER, False, (member("cat/1.png"),))

    assert "on neither" in remark(group, "images_labeled_by_folder/cat/1.png")


@given(
    st.integers(0, 3),
    st.lists(st.integers(0, 3), max_size=5),
    st.sampled_from([Split.TRAIN, Split.NEITHER]),
)
def test_what_gives_nothing_new_is_every_member_but_the_one_that_stands_for_the_picture(
    attempts: int, came: list[int], split: Split
) -> None:
    members = tuple(member(f"cat/{n}.png", attempts=when) for n, when in enumerate(came))
    group = Group("g", split, True, members)

    stands = [members[0]] if group.entry else []
    assert group.unused(attempts) == sum(
        one.attempts == attempts for one in members if one not in stands
    )


def member(name: str, attempts: int = 0) -> GroupMember:
    label = name.partition("/")[0]
    return GroupMember(f"images_labeled_by_folder/{name}", label, "1", "same", attempts=attempts)
