"""Business rule: labels are described, renamed and merged; no image is lost or changes its side."""

import pytest

from loupe.domain.labelled_images import LabelCount, LabelledImage, LabelledImageStatus
from loupe.domain.labels import LabelNote
from loupe.errors import InvalidRequest, NotFound, TryAgain
from loupe.services.labelled_images import reconcile
from loupe.services.labels import describe, every_label, merge, reference_images, rename
from tests.adapters.world import World

PREFIX = "images_labeled_by_folder/"


def registered(world: World) -> list[LabelledImage]:
    return list(world.deps.dataset.labelled_images(LabelledImageStatus.REGISTERED))


def settle(world: World, before: list[str]) -> None:
    """The events of all objects that came and went."""
    for key in [*before, *world.keys(PREFIX)]:
        for _ in range(2):
            try:
                reconcile(key, world.deps)
            except TryAgain:
                continue


def sides(world: World) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for image in registered(world):
        found.setdefault(image.split, set()).add(image.group)
    return found


def counts(world: World) -> dict[str, LabelCount]:
    by_label = world.deps.dataset.label_counts().by_label
    return {label: count for label, count in by_label.items() if count != LabelCount()}


def test_a_renamed_label_keeps_its_images_and_their_sides(world: World) -> None:
    keys = [world.labelled("cat", f"{n}.png", n) for n in range(1, 4)]
    keys.append(
        world.labelled(
            "cat",
            "4.png",
            4,
            **{"loupe-source": "reviewed", "loupe-reviewers": "1", "loupe-by": "bo"},
        )
    )
    before, counted = sides(world), counts(world)["cat"]

    moved = rename("cat", "lynx", "ann", world.deps)
    settle(world, keys)

    assert (moved.moved, moved.failed, moved.more) == (4, {}, False)
    assert counts(world) == {"lynx": counted}
    assert sides(world) == before
    assert {image.label for image in registered(world)} == {"lynx"}
    assert [image.by for image in registered(world) if image.reviewers] == [("bo",)]


def test_a_label_with_images_is_no_new_name(world: World) -> None:
    world.labelled("cat", "1.png", 1)
    world.labelled("dog", "2.png", 2)

    with pytest.raises(InvalidRequest, match="merge 'cat' into it"):
        rename("cat", "dog", "ann", world.deps)


def test_merging_goes_on_where_it_was_interrupted(world: World) -> None:
    keys = [world.labelled("cat", f"{n}.png", n) for n in range(1, 4)]
    keys.append(world.labelled("dog", "9.png", 9))

    first = merge("cat", "dog", "ann", world.deps, limit=2)
    rest = merge("cat", "dog", "ann", world.deps)
    settle(world, keys)

    assert (first.moved, first.more) == (2, True)
    assert (rest.moved, rest.more) == (1, False)
    count = counts(world)["dog"]
    assert count.train + count.test == 4
    assert set(counts(world)) == {"dog"}


def test_the_same_picture_under_both_labels_counts_once_after_a_merge(world: World) -> None:
    keys = [world.labelled("cat", "1.png", 1), world.labelled("dog", "1.png", 1)]
    assert counts(world) == {}

    merge("cat", "dog", "ann", world.deps)
    settle(world, keys)

    assert counts(world) == {"dog": LabelCount(train=1, testable=1)}


def test_a_label_is_not_merged_into_itself_or_into_what_is_no_label(world: World) -> None:
    for into in ("cat", "../x", "none of the above"):
        with pytest.raises(InvalidRequest):
            merge("cat", into, "ann", world.deps)


def test_a_description_and_references_are_shown_until_the_reference_is_gone(world: World) -> None:
    key = world.labelled("cat", "1.png", 1)
    image = world.deps.dataset.labelled_image(key)
    assert image is not None

    describe("cat", "ann", world.deps, " Whiskers. ", [image.id])
    note = describe("cat", "bob", world.deps)

    assert (note.description, note.references, note.by) == ("Whiskers.", (image.id,), "bob")
    assert [each.key for each in reference_images(note, world.deps)] == [key]
    world.remove(key)
    reconcile(key, world.deps)
    assert reference_images(note, world.deps) == []


def test_an_reference_is_a_labelled_image(world: World) -> None:
    with pytest.raises(NotFound):
        describe("cat", "ann", world.deps, references=["nothing"])

    assert world.deps.labels.note("cat") == LabelNote("cat")


def test_the_note_goes_with_the_label_and_does_not_replace_another(world: World) -> None:
    key = world.labelled("cat", "1.png", 1)
    image = world.deps.dataset.labelled_image(key)
    assert image is not None
    describe("cat", "ann", world.deps, "Whiskers.", [image.id])

    rename("cat", "lynx", "ann", world.deps)
    settle(world, [key])

    note = world.deps.labels.note("lynx")
    assert note.description == "Whiskers."
    assert [each.label for each in reference_images(note, world.deps)] == ["lynx"]
    assert world.deps.labels.note("cat") == LabelNote("cat")

    describe("dog", "ann", world.deps, "Barks.")
    merge("lynx", "dog", "ann", world.deps)
    assert world.deps.labels.note("dog").description == "Barks."


def test_labels_are_listed_whether_they_have_images_a_note_or_only_the_setting(
    world: World,
) -> None:
    world.set(Labels="emu")
    world.labelled("cat", "1.png", 1)
    describe("dog", "ann", world.deps, "Barks.")

    entries = {
        entry.label: (entry.count.train, entry.note.description)
        for entry in every_label(world.deps)
    }

    assert entries == {"cat": (1, ""), "dog": (0, "Barks."), "emu": (0, "")}
