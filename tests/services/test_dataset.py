"""Business rule: an operator relabels and removes images, and sees which versions had them."""

import pytest

from loupe.domain.labelled_images import LabelledImage
from loupe.domain.manifest import ManifestEntry, render
from loupe.domain.versions import VersionStatus
from loupe.errors import InvalidRequest, NotFound
from loupe.services.dataset import labelled_image, relabel, remark_on, remove, versions_with
from loupe.services.labelled_images import reconcile
from loupe.services.training_data import manifest_key
from tests.adapters.world import BUCKET, World, jpeg

PREFIX = "images_labeled_by_folder/"


def image(world: World, label: str, name: str, picture: int) -> LabelledImage:
    """A labelled image that is registered."""
    registered = world.deps.dataset.labelled_image(world.labelled(label, name, picture))
    assert registered is not None
    return registered


def test_a_relabelled_image_moves_to_the_other_folder_and_says_who_moved_it(world: World) -> None:
    cat = image(world, "cat", "a b+ü.png", 1)

    assert relabel([cat.id], "dog", "änn", world.deps) == {}

    (key,) = world.keys(PREFIX)
    assert key == f"{PREFIX}dog/a b+ü.{cat.id[:8]}.png"
    reconcile(cat.key, world.deps)
    reconcile(key, world.deps)
    moved = world.deps.dataset.labelled_image(key)
    assert moved is not None
    assert moved.by == ("änn",)


def test_a_long_name_is_cut_so_that_its_key_fits(world: World) -> None:
    cat = image(world, "cat", f"{'n' * 150}.{'e' * 20}", 1)

    relabel([cat.id], "dog", "ann", world.deps)

    assert world.keys(PREFIX) == [f"{PREFIX}dog/{'n' * 100}.{cat.id[:8]}.{'e' * 9}"]


def test_an_image_that_has_the_label_already_stays(world: World) -> None:
    cat = image(world, "cat", "1.png", 1)

    assert relabel([cat.id], "cat", "ann", world.deps) == {}

    assert world.keys(PREFIX) == [cat.key]


def test_a_label_that_cannot_be_a_folder_moves_nothing(world: World) -> None:
    cat = image(world, "cat", "1.png", 1)

    with pytest.raises(InvalidRequest):
        relabel([cat.id], "a/b", "ann", world.deps)

    assert world.keys(PREFIX) == [cat.key]


def test_of_several_images_the_unknown_one_is_named_and_the_others_are_removed(
    world: World,
) -> None:
    cat = image(world, "cat", "1.png", 1)

    errors = remove(["unknown", cat.id], world.deps)

    assert errors == {"unknown": "There is no such labelled image (any more)."}
    assert world.keys(PREFIX) == []


def test_an_unknown_image_cannot_be_looked_at(world: World) -> None:
    with pytest.raises(NotFound, match="no such labelled image"):
        labelled_image("unknown", world.deps)


def test_the_remark_on_an_image_is_what_is_true_now(world: World) -> None:
    first = image(world, "cat", "1.png", 1)
    world.put(f"{PREFIX}cat/2.jpg", jpeg(1))
    reconcile(f"{PREFIX}cat/2.jpg", world.deps)
    copy = world.deps.dataset.labelled_image(f"{PREFIX}cat/2.jpg")
    assert copy is not None

    assert remark_on(first, world.deps) == ""
    assert "the same picture as cat/1.png" in remark_on(copy, world.deps)

    world.remove(first.key)
    reconcile(first.key, world.deps)
    assert remark_on(copy, world.deps) == ""


def test_the_remark_on_an_image_that_was_rejected_is_the_reason(world: World) -> None:
    key = f"{PREFIX}cat/1.png"
    world.put(key, b"no image")
    reconcile(key, world.deps)
    rejected = world.deps.dataset.labelled_image(key)
    assert rejected is not None

    assert remark_on(rejected, world.deps) == rejected.reason != ""


def test_the_versions_that_an_image_was_part_of_are_listed_newest_first(world: World) -> None:
    """Given v1, trained on the image, v2 without a snapshot, v3 without it, v4 tested with it."""
    cat = image(world, "cat", "1.png", 1)
    uri = f"s3://{BUCKET}/{cat.key}"
    for name in ("v1", "v2", "v3", "v4"):
        world.version(name, VersionStatus.NOT_BETTER)
    for name, train, test in (("v1", uri, "x"), ("v3", "x", "y"), ("v4", "x", uri)):
        for split, other in (("train", train), ("test", test)):
            body = render([ManifestEntry(other, "cat", "c", "uploaded", "")]).encode()
            world.deps.objects.write(manifest_key(name, split), body, "application/jsonl")

    assert list(versions_with([cat.key], world.deps)) == [("v4", "test"), ("v1", "train")]
