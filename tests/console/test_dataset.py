"""Business rule: an operator sees every labelled image and may add, relabel and remove them."""

from typing import Any

import pytest

from loupe.console.access import Role
from loupe.console.dataset import underrepresented
from loupe.domain.labelled_images import LabelCount
from loupe.domain.manifest import ManifestEntry, render
from loupe.services.labelled_images import reconcile
from loupe.services.training_data import manifest_key
from tests.adapters.world import BUCKET, World
from tests.console.console import Console

OPERATOR = f"[{Role.OPERATOR}]"
PREFIX = "images_labeled_by_folder/"


@pytest.fixture
def keys(world: World) -> list[str]:
    """Given three labelled images; of each label, the second one is for testing."""
    return [
        world.labelled("cat", "1.png", 1, **{"loupe-by": "ann"}),
        world.labelled("cat", "2.png", 2),
        world.labelled("dog", "3.png", 3),
    ]


def identity(world: World, key: str) -> str:
    image = world.deps.dataset.labelled_image(key)
    assert image is not None
    return image.id


def images(console: Console, **query: str) -> list[str]:
    page = console.ok("GET", "/api/dataset/examples", query=query, groups=OPERATOR)
    return [item["image"] for item in page["items"]]


@pytest.mark.parametrize(
    ("train", "test", "words"),
    [
        (0, 3, "no image to train on"),
        (5, 0, "no image to test with"),
        (9, 1, "9 images to train on; 10 or more are advised"),
        (10, 1, ""),
    ],
)
def test_a_label_with_too_few_images_says_of_which(train: int, test: int, words: str) -> None:
    reason = underrepresented(LabelCount(train, test))

    assert words in reason
    assert bool(reason) == bool(words)


def test_labels_are_counted_by_what_their_images_are_for(
    console: Console, world: World, keys: list[str]
) -> None:
    world.set(Minimum_Untrained_Images="3")

    answer = console.ok("GET", "/api/dataset/labels", groups=OPERATOR)

    assert [(row["label"], row["train"], row["test"]) for row in answer["labels"]] == [
        ("cat", 1, 1),
        ("dog", 1, 0),
    ]
    assert "1 images to train on" in answer["labels"][0]["underrepresented"]
    assert "left out" in answer["labels"][1]["underrepresented"]
    assert answer["training"]["due"] is False
    assert "dog" in answer["training"]["reason"]


def test_a_label_whose_images_are_all_gone_is_not_listed(
    console: Console, world: World, keys: list[str]
) -> None:
    world.remove(keys[2])
    reconcile(keys[2], world.deps)

    labels = console.ok("GET", "/api/dataset/labels")["labels"]

    assert [row["label"] for row in labels] == ["cat"]


def test_the_newest_labelled_image_comes_first_with_its_use_and_owner(
    console: Console, world: World, keys: list[str]
) -> None:
    items = console.ok("GET", "/api/dataset/examples", groups=OPERATOR)["items"]

    assert [item["image"] for item in items] == ["dog/3.png", "cat/2.png", "cat/1.png"]
    assert [item["split"] for item in items] == ["train", "test", "train"]
    oldest = items[-1]
    assert "images_labeled_by_folder/cat/1.png" in oldest["picture"]
    assert "versionId" not in oldest["picture"]
    assert oldest | {"picture": "", "at": ""} == {
        "id": identity(world, keys[0]),
        "image": "cat/1.png",
        "label": "cat",
        "status": "registered",
        "split": "train",
        "source": "uploaded",
        "by": ["ann"],
        "at": "",
        "reason": oldest["reason"],
        "picture": "",
    }


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ({"label": "cat"}, ["cat/2.png", "cat/1.png"]),
        ({"split": "test"}, ["cat/2.png"]),
        ({"split": "train"}, ["dog/3.png", "cat/1.png"]),
        ({"split": "train", "label": "cat"}, ["cat/1.png"]),
        ({"status": "registered"}, ["dog/3.png", "cat/2.png", "cat/1.png"]),
        ({"status": "removed"}, []),
        ({"limit": "1"}, ["dog/3.png"]),
    ],
)
def test_a_filter_lets_through_what_it_says(
    console: Console, keys: list[str], query: dict[str, str], left: list[str]
) -> None:
    assert images(console, **query) == left


def test_pages_follow_each_other_without_a_gap(console: Console, keys: list[str]) -> None:
    first = console.ok("GET", "/api/dataset/examples", query={"limit": "2"})
    second = {"limit": "2", "cursor": first["next"]}

    assert images(console, **second) == ["cat/1.png"]
    assert console.ok("GET", "/api/dataset/examples", query=second)["next"] is None


def test_an_image_that_is_gone_is_shown_by_the_version_that_was_registered(
    console: Console, world: World, keys: list[str]
) -> None:
    version = world.s3.head_object(Bucket=BUCKET, Key=keys[0])["VersionId"]
    world.remove(keys[0])
    reconcile(keys[0], world.deps)

    (item,) = console.ok("GET", "/api/dataset/examples", query={"status": "removed"})["items"]

    assert (item["image"], item["status"]) == ("cat/1.png", "removed")
    assert f"versionId={version}" in item["picture"]


def test_an_image_names_the_versions_that_it_was_part_of_newest_first(
    console: Console, world: World, keys: list[str]
) -> None:
    def snapshot(version: str, split: str, key: str) -> None:
        entry = ManifestEntry(f"s3://{BUCKET}/{key}", "cat", "sha", "uploaded", "")
        body = render([entry]).encode()
        world.deps.objects.write(manifest_key(version, split), body, "application/jsonl")

    for name, train, test in (("v1", keys[0], keys[1]), ("v2", keys[1], keys[0])):
        world.version(name)
        snapshot(name, "train", train)
        snapshot(name, "test", test)
    world.version("v3")  # It failed before its snapshot was written.

    detail = console.ok("GET", f"/api/dataset/examples/{identity(world, keys[0])}")

    assert detail["image"] == "cat/1.png"
    assert detail["versions"] == [
        {"name": "v2", "split": "test"},
        {"name": "v1", "split": "train"},
    ]


def test_files_are_posted_into_the_folder_of_their_label(console: Console) -> None:
    files = [
        {"name": f"{label}.png", "size": 9, "type": "image/png", "label": label}
        for label in ("cat", "a/b", "dog")
    ]

    posts = console.ok("POST", "/api/dataset/uploads", {"files": files}, groups=OPERATOR)["posts"]

    assert [post.get("fields", {}).get("key") for post in posts] == [
        f"{PREFIX}cat/cat.png",
        None,
        f"{PREFIX}dog/dog.png",
    ]
    assert "a/b" in posts[1]["error"]


def test_an_image_moves_to_the_folder_of_its_new_label_and_whose_word_it_is_is_kept(
    console: Console, world: World, keys: list[str]
) -> None:
    body = {"ids": [identity(world, keys[0]), "0" * 32], "label": "dog"}

    answer = console.ok("POST", "/api/dataset/relabel", body, name="olga", groups=OPERATOR)

    assert answer["done"] == 1
    assert [refusal["id"] for refusal in answer["failed"]] == ["0" * 32]
    assert "no such labelled image" in answer["failed"][0]["message"]
    assert world.keys(f"{PREFIX}cat/") == [keys[1]]
    (moved,) = [key for key in world.keys(f"{PREFIX}dog/") if key != keys[2]]
    assert moved == f"{PREFIX}dog/1.{identity(world, keys[0])[:8]}.png"
    assert "olga" in world.s3.head_object(Bucket=BUCKET, Key=moved)["Metadata"]["loupe-by"]


def test_an_image_that_has_the_label_stays(console: Console, world: World, keys: list[str]) -> None:
    body = {"ids": [identity(world, keys[0])], "label": "cat"}

    assert console.ok("POST", "/api/dataset/relabel", body) == {"done": 1, "failed": []}
    assert world.keys(f"{PREFIX}cat/") == keys[:2]


def test_a_removed_image_is_gone_from_its_folder_and_kept_as_an_old_version(
    console: Console, world: World, keys: list[str]
) -> None:
    body: dict[str, Any] = {"ids": [identity(world, keys[0]), identity(world, keys[0])]}
    version = world.s3.head_object(Bucket=BUCKET, Key=keys[0])["VersionId"]

    answer = console.ok("POST", "/api/dataset/remove", body, groups=OPERATOR)

    assert answer == {"done": 1, "failed": []}
    assert world.keys(PREFIX) == keys[1:]
    assert world.s3.head_object(Bucket=BUCKET, Key=keys[0], VersionId=version)


def test_a_labelled_image_that_is_unknown_is_said_so(console: Console) -> None:
    response = console.ask("GET", f"/api/dataset/examples/{'0' * 32}")

    assert response.status == 404
    assert "no such labelled image" in response.body["message"]
