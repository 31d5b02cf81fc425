"""Business rule: the dataset is what the bucket says, however events repeat, race or come late."""

import time
from typing import Any

import pytest

from loupe.adapters.table import save
from loupe.domain.keys import NONE_OF_THE_ABOVE
from loupe.domain.labelled_images import LabelCount, LabelledImage, LabelledImageStatus
from loupe.domain.review import ReviewPurpose, ReviewState
from loupe.errors import InvalidRequest, TryAgain
from loupe.handlers import register_image
from loupe.services.labelled_images import reconcile, register, same_pictures
from loupe.services.review_answers import decide_conflict
from tests.adapters.world import World, jpeg, message, png, s3_event, sqs_event


@pytest.fixture(autouse=True)
def process(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The handler works in the world and does not sleep."""
    monkeypatch.setattr("loupe.handlers.register_image.deps", lambda: world.deps)
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)


def example(world: World, key: str) -> LabelledImage:
    found = world.deps.dataset.labelled_image(key)
    assert found is not None
    return found


def counts(world: World) -> dict[str, LabelCount]:
    found = world.deps.dataset.label_counts().by_label
    return {label: count for label, count in found.items() if count != LabelCount()}


def changes(world: World) -> int:
    return world.deps.versions.progress().changes


# Coming


def test_a_labelled_image_is_counted_and_told_of(world: World) -> None:
    key = world.labelled("große Katze", "a b+ü (1).png", 1)

    assert counts(world) == {"große Katze": LabelCount(train=1, testable=1)}
    assert changes(world) == 1
    assert example(world, key).status == LabelledImageStatus.REGISTERED
    told = world.events("ExampleAdded")[0]["text"]
    assert "große Katze" in told
    assert "nothing" not in told


def test_the_same_event_twice_counts_once(world: World) -> None:
    image = world.put("images_labeled_by_folder/cat/1.png", png(1))

    for _ in range(2):
        register(message(s3_event(image)), world.deps)

    assert counts(world)["cat"].train == 1
    assert changes(world) == 1
    assert len(world.events("ExampleAdded")) == 1


def test_a_nested_file_counts_for_its_outermost_folder(world: World) -> None:
    world.labelled("cat", "2026/may/1.png", 1)

    assert counts(world) == {"cat": LabelCount(train=1, testable=1)}


def test_images_of_one_metadata_group_are_on_one_side_and_counted_as_one(world: World) -> None:
    world.labelled("cat", "alone.png", 1)
    for number in (2, 3, 4):
        world.labelled("cat", f"{number}.png", number, group="video 7")

    assert counts(world) == {
        "cat": LabelCount(train=1, test=3, testable=4, repeats=2, test_repeats=2)
    }

    for number in (2, 3):
        world.remove(f"images_labeled_by_folder/cat/{number}.png")
        reconcile(f"images_labeled_by_folder/cat/{number}.png", world.deps)

    assert counts(world) == {"cat": LabelCount(train=1, test=1, testable=2)}


def test_a_folder_is_on_one_side_when_the_setting_says_so(world: World) -> None:
    world.set(Group_Images_By="folder")
    world.labelled("cat", "video 1/1.png", 1)
    world.labelled("cat", "video 1/2.png", 2)
    moved = world.labelled("cat", "video 2/1.png", 3)
    image = world.deps.objects.current(moved).image
    world.deps.objects.copy(image, "images_labeled_by_folder/cat/copy.png", {})
    world.labelled("cat", "video 2/2.png", 4)

    reconcile("images_labeled_by_folder/cat/copy.png", world.deps)

    splits = {image.name: image.split for image in world.deps.dataset.labelled_images()}
    assert splits == {
        "cat/video 1/1.png": "train",
        "cat/video 1/2.png": "train",
        "cat/video 2/1.png": "test",
        "cat/video 2/2.png": "test",
        "cat/copy.png": "test",
    }


def test_near_duplicates_count_once_and_are_on_one_side(world: World) -> None:
    first = world.labelled("cat", "1.png", 1)
    world.put("images_labeled_by_folder/cat/again.jpg", jpeg(1, 240))

    reconcile("images_labeled_by_folder/cat/again.jpg", world.deps)

    again = example(world, "images_labeled_by_folder/cat/again.jpg")
    assert again.group == example(world, first).group
    assert counts(world) == {"cat": LabelCount(train=1, testable=1)}
    assert changes(world) == 1


def test_different_pictures_are_different_groups(world: World) -> None:
    keys = [world.labelled("cat", f"{n}.png", n) for n in range(5)]

    assert len({example(world, key).group for key in keys}) == 5
    assert counts(world) == {"cat": LabelCount(train=4, test=1, testable=5)}


def test_one_picture_under_two_labels_is_a_conflict_until_one_is_removed(world: World) -> None:
    cat = world.labelled("cat", "1.png", 1)
    world.labelled("dog", "1.png", 1)

    assert counts(world) == {}
    (told,) = world.events("LabelConflict")
    assert cat in told["text"]
    assert "cat, dog" in told["text"]

    world.remove(cat)
    reconcile(cat, world.deps)

    assert counts(world) == {"dog": LabelCount(train=1, testable=1)}


def test_a_picture_under_two_labels_is_among_the_conflicts_of_the_operator(world: World) -> None:
    cat = world.labelled("cat", "1.png", 1)
    dog = world.labelled("dog", "1.png", 1)

    (conflict,) = world.deps.reviews.newest(ReviewState.CONFLICT)
    assert conflict.purpose == ReviewPurpose.TWO_LABELS
    assert conflict.labels == ("cat", "dog")
    assert conflict.image.key == dog
    assert "cat (cat/1.png) and dog (dog/1.png)" in conflict.reason
    assert conflict.id in world.events("LabelConflict")[0]["text"]
    assert "counts once" not in example(world, dog).reason

    world.remove(cat)
    for _ in range(2):
        reconcile(cat, world.deps)

    assert list(world.deps.reviews.newest(ReviewState.CONFLICT)) == []
    assert world.deps.reviews.get(conflict.id).state == ReviewState.DONE


@pytest.mark.parametrize("label", ["cat", "dog", NONE_OF_THE_ABOVE])
def test_the_label_that_an_operator_chooses_removes_the_other_object(
    world: World, label: str
) -> None:
    keys = [world.labelled(name, "1.png", 1) for name in ("cat", "dog")]
    (conflict,) = world.deps.reviews.newest(ReviewState.CONFLICT)

    decide_conflict(conflict.id, label, "ann", world.deps)
    for key in keys:
        reconcile(key, world.deps)

    assert list(counts(world)) == [name for name in ("cat", "dog") if name == label]
    decided = world.deps.reviews.get(conflict.id)
    assert decided.state == ReviewState.DONE
    assert [(answer.worker, answer.label) for answer in decided.answers] == [("ann", label)]


def test_a_label_that_the_picture_does_not_have_decides_no_conflict(world: World) -> None:
    keys = [world.labelled(name, "1.png", 1) for name in ("cat", "dog")]
    (conflict,) = world.deps.reviews.newest(ReviewState.CONFLICT)

    with pytest.raises(InvalidRequest, match="'cow' is not one of the labels"):
        decide_conflict(conflict.id, "cow", "ann", world.deps)

    assert sorted(world.keys("images_labeled_by_folder/")) == keys


def test_a_conflict_that_comes_back_is_open_again(world: World) -> None:
    world.labelled("cat", "1.png", 1)
    dog = world.labelled("dog", "1.png", 1)
    world.remove(dog)
    reconcile(dog, world.deps)

    world.labelled("dog", "2.png", 1)

    assert [review.image.name for review in world.deps.reviews.newest(ReviewState.CONFLICT)] == [
        "dog/2.png"
    ]


# What does not count


def test_the_same_picture_again_is_named_as_what_does_not_count(world: World) -> None:
    world.labelled("cat", "1.png", 1)
    for _ in range(2):
        world.labelled("cat", "2.png", 1)

    progress = world.deps.versions.progress()
    assert (progress.changes, progress.unused) == (1, 1)
    assert progress.unused_image == "cat/2.png"
    assert "same picture as cat/1.png" in progress.unused_why


@pytest.mark.parametrize("gone", ["1.png", "2.png"])
def test_of_two_copies_one_is_enough_when_the_other_is_removed(world: World, gone: str) -> None:
    for name in ("1.png", "2.png"):
        world.labelled("cat", name, 1)

    key = f"images_labeled_by_folder/cat/{gone}"
    world.remove(key)
    for _ in range(2):
        reconcile(key, world.deps)

    progress = world.deps.versions.progress()
    assert (progress.changes, progress.unused) == (1, 0)


def test_what_did_not_count_before_a_training_is_not_named_after_it(world: World) -> None:
    first = world.labelled("cat", "1.png", 1)
    world.labelled("cat", "2.png", 1)
    world.version("v1")
    assert world.deps.versions.progress().unused == 0

    world.remove(first)
    reconcile(first, world.deps)
    assert world.deps.versions.progress().unused == 0

    world.labelled("cat", "3.png", 1)
    assert world.deps.versions.progress().unused == 1


def test_a_file_that_is_no_image_does_not_count_until_it_is_replaced(world: World) -> None:
    key = "images_labeled_by_folder/cat/1.png"
    world.put(key, b"this is text")
    for _ in range(2):
        reconcile(key, world.deps)
    progress = world.deps.versions.progress()
    assert (progress.changes, progress.unused, progress.unused_image) == (0, 1, "cat/1.png")

    world.put(key, png(1))
    reconcile(key, world.deps)

    progress = world.deps.versions.progress()
    assert (progress.changes, progress.unused) == (1, 0)


def test_a_file_that_is_no_image_and_is_removed_is_named_no_more(world: World) -> None:
    key = "images_labeled_by_folder/cat/1.png"
    world.put(key, b"this is text")
    reconcile(key, world.deps)

    world.remove(key)
    reconcile(key, world.deps)

    assert world.deps.versions.progress().unused == 0


def test_the_holdout_setting_decides_the_share(world: World) -> None:
    world.set(Holdout_Percent="50")

    for number in range(6):
        world.labelled("cat", f"{number}.png", number)

    assert counts(world) == {"cat": LabelCount(train=3, test=3, testable=6)}


# Changing and going


def test_a_removed_image_is_counted_back(world: World) -> None:
    key = world.labelled("cat", "1.png", 1)
    world.remove(key)

    register(message({**s3_event(world.put("x", b"")), "detail": deleted(key)}), world.deps)

    assert counts(world) == {}
    assert example(world, key).status == LabelledImageStatus.REMOVED
    assert len(world.events("ExampleRemoved")) == 1


def deleted(key: str) -> dict[str, Any]:
    return {"bucket": {"name": "loupe-images"}, "object": {"key": key}, "reason": "DeleteObject"}


def test_an_event_of_a_removal_that_is_late_does_no_harm(world: World) -> None:
    key = world.labelled("cat", "1.png", 1)

    register(message({"source": "aws.s3", "detail": deleted(key)}), world.deps)

    assert counts(world)["cat"].train == 1


def test_an_image_that_came_and_went_before_its_turn_leaves_nothing(world: World) -> None:
    image = world.put("images_labeled_by_folder/cat/1.png", png(1))
    world.remove(image.key)

    register(message(s3_event(image)), world.deps)

    assert world.deps.dataset.labelled_image(image.key) is None
    assert changes(world) == 0


def test_a_replaced_object_is_the_new_picture(world: World) -> None:
    key = world.labelled("cat", "1.png", 1)
    first = example(world, key).group
    world.labelled("cat", "1.png", 2)

    assert example(world, key).group != first
    assert world.deps.dataset.group(first).members == ()
    assert sum(count.train + count.test for count in counts(world).values()) == 1


def test_a_picture_that_comes_back_is_on_its_old_side(world: World) -> None:
    keys = [world.labelled("cat", f"{n}.png", n) for n in range(2)]
    before = example(world, keys[1])
    world.remove(keys[1])
    reconcile(keys[1], world.deps)

    again = world.labelled("cat", "other name.png", 1)

    assert (before.split, example(world, again).split) == ("test", "test")
    assert example(world, again).group == before.group


def test_a_relabelled_image_changes_the_dataset(world: World) -> None:
    key = world.labelled("cat", "1.png", 1)
    world.remove(key)
    reconcile(key, world.deps)

    world.labelled("dog", "1.png", 1)

    assert counts(world) == {"dog": LabelCount(train=1, testable=1)}


def test_images_gone_and_as_many_new_ones_count_as_changes_all_of_them(world: World) -> None:
    """As many images as before are no reason not to train: 3 of 6 gone and 3 new are 6 changes."""
    keys = [world.labelled("cat", f"{n}.png", n) for n in range(6)]
    world.version("v1")
    assert changes(world) == 0

    for key in keys[:3]:
        world.remove(key)
        reconcile(key, world.deps)
    for number in range(6, 9):
        world.labelled("cat", f"{number}.png", number)

    assert changes(world) == 6


def test_a_picture_that_changes_twice_between_attempts_counts_once(world: World) -> None:
    key = world.labelled("cat", "1.png", 1)
    world.remove(key)
    reconcile(key, world.deps)
    world.labelled("cat", "1.png", 1)

    assert changes(world) == 1

    world.version("v1")
    world.remove(key)
    reconcile(key, world.deps)

    assert changes(world) == 1


# What cannot be a labelled image


@pytest.mark.parametrize(
    ("name", "body", "why"),
    [
        ("cat/1.png", b"garbage", "neither a PNG nor a JPEG"),
        ("cat/1.png", b"", "empty"),
        ("cat/1.png", png(1)[:80], ""),
        ("../x/1.png", png(1), "cannot be a label"),
        ("none/1.png", png(1), "cannot be a label"),
        ("1.png", png(1), "names no label"),
    ],
)
def test_what_cannot_be_used_has_a_record_that_says_why(
    world: World, name: str, body: bytes, why: str
) -> None:
    key = f"images_labeled_by_folder/{name}"
    world.put(key, body)

    for _ in range(2):
        reconcile(key, world.deps)

    found = example(world, key)
    assert found.status == LabelledImageStatus.REJECTED
    assert why in found.reason
    assert counts(world) == {}
    assert len(world.events("ExampleRejected")) == 1


def test_a_file_that_is_too_large_is_not_even_fetched(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loupe.domain.images.MAX_BYTES", 10)
    world.labelled("cat", "1.png", 1)

    assert "make it smaller" in world.events("ExampleRejected")[0]["text"]


def test_a_rejected_file_that_is_replaced_by_an_image_is_registered(world: World) -> None:
    key = "images_labeled_by_folder/cat/1.png"
    world.put(key, b"garbage")
    reconcile(key, world.deps)

    world.labelled("cat", "1.png", 1)

    assert example(world, key).status == LabelledImageStatus.REGISTERED
    assert counts(world)["cat"].train == 1


@pytest.mark.parametrize(
    "metadata",
    [
        {"loupe-source": "a/b", "loupe-reviewers": "9"},
        {"loupe-source": "reviewed", "loupe-reviewers": "many"},
        {"loupe-reviewers": "1"},
    ],
)
def test_metadata_that_loupe_did_not_write_makes_an_uploaded_image(
    world: World, metadata: dict[str, str]
) -> None:
    key = world.labelled("cat", "1.png", 1, **metadata)

    assert (example(world, key).source, example(world, key).reviewers) == ("uploaded", 0)


# Several at once


def test_of_two_registrations_that_interleave_the_second_starts_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.put("images_labeled_by_folder/cat/1.png", png(1))
    second = world.put("images_labeled_by_folder/cat/2.png", png(2))
    read = same_pictures
    interrupted: list[bool] = []

    def interrupt(seen: Any, deps: Any) -> Any:
        """While the second looks for its like, the first is registered."""
        if not interrupted:
            interrupted.append(True)
            reconcile("images_labeled_by_folder/cat/1.png", world.deps)
        return read(seen, deps)

    monkeypatch.setattr("loupe.services.labelled_images.same_pictures", interrupt)

    register(message(s3_event(second)), world.deps)

    assert counts(world) == {"cat": LabelCount(train=1, test=1, testable=2)}
    assert changes(world) == 2


def test_two_copies_of_a_picture_that_arrive_together_find_each_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.put("images_labeled_by_folder/cat/1.png", png(1))
    second = world.put("images_labeled_by_folder/cat/copy.jpg", jpeg(1))
    read = same_pictures
    interrupted: list[bool] = []

    def interrupt(seen: Any, deps: Any) -> Any:
        found = read(seen, deps)
        if not interrupted:
            interrupted.append(True)
            reconcile("images_labeled_by_folder/cat/1.png", world.deps)
        return found

    monkeypatch.setattr("loupe.services.labelled_images.same_pictures", interrupt)

    register(message(s3_event(second)), world.deps)

    groups = {e.group for e in world.deps.dataset.labelled_images()}
    assert len(groups) == 1
    assert counts(world)["cat"].train == 1


def test_a_registration_that_never_gets_its_turn_goes_back_to_the_queue(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = world.put("images_labeled_by_folder/cat/1.png", png(1))

    def busy(_key: str, _deps: Any) -> None:
        raise TryAgain("busy")

    monkeypatch.setattr("loupe.services.labelled_images.reconcile", busy)

    with pytest.raises(TryAgain, match="too many at the same time"):
        register(message(s3_event(image)), world.deps)


def test_a_training_that_begins_meanwhile_does_not_take_the_change(world: World) -> None:
    image = world.put("images_labeled_by_folder/cat/1.png", png(1))
    table, write = world.deps.table, world.deps.table.write
    begun: list[bool] = []

    def begin_first(writes: Any, events: Any = ()) -> None:
        if not begun:
            begun.append(True)
            progress = {"pk": "STATE", "sk": "PROGRESS", "attempts": 1, "changes": 0}
            write([save(progress)])
        write(writes, events)

    table.write = begin_first  # type: ignore[method-assign]

    register(message(s3_event(image)), world.deps)

    assert changes(world) == 1
    assert counts(world)["cat"].train == 1


def test_one_bad_message_does_not_stop_the_others(world: World) -> None:
    image = world.put("images_labeled_by_folder/cat/1.png", png(1))

    failed = register_image.handler(sqs_event("garbage", s3_event(image)), None)

    assert failed == {"batchItemFailures": [{"itemIdentifier": "0"}]}
    assert counts(world)["cat"].train == 1


def test_entries_are_the_usable_pictures_with_their_side(world: World) -> None:
    for number in range(3):
        world.labelled("cat", f"{number}.png", number)
    world.labelled("dog", "2.png", 2)

    found = [(split, entry.uri) for split, entry in world.deps.dataset.entries("b")]

    assert found == [
        ("train", "s3://b/images_labeled_by_folder/cat/0.png"),
        ("test", "s3://b/images_labeled_by_folder/cat/1.png"),
    ]
