"""Business rule: an operator describes, renames and merges labels, and makes new ones."""

import pytest

from loupe.console import labels
from loupe.console.access import Role
from loupe.domain.detection import Label
from loupe.domain.keys import NONE_OF_THE_ABOVE
from loupe.services.labelled_images import reconcile
from tests.adapters.world import World
from tests.console.console import Console

OPERATOR = f"[{Role.OPERATOR}]"
REVIEWER = f"[{Role.REVIEWER}]"


@pytest.fixture
def cat(world: World) -> str:
    """Given a labelled image; returns its id."""
    image = world.deps.dataset.labelled_image(world.labelled("cat", "1.png", 1))
    assert image is not None
    return image.id


def test_reviewers_see_what_an_operator_said_of_a_label(console: Console, cat: str) -> None:
    text = {"label": "cat", "description": "Whiskers."}
    console.ok("POST", "/api/labels/description", text, groups=OPERATOR)
    console.ok("POST", "/api/labels/references", {"label": "cat", "ids": [cat]}, groups=OPERATOR)

    (about,) = console.ok("GET", "/api/labels/about", groups=REVIEWER)["items"]

    assert (about["label"], about["description"]) == ("cat", "Whiskers.")
    (reference,) = about["references"]
    assert reference["id"] == cat
    assert "images_labeled_by_folder/cat/1.png" in reference["picture"]


def test_a_label_is_renamed(console: Console, world: World, cat: str) -> None:
    order = {"label": "cat", "into": "lynx"}

    done = console.ok("POST", "/api/labels/rename", order, groups=OPERATOR)

    assert done == {"done": 1, "failed": [], "more": False}
    assert world.keys("images_labeled_by_folder/") == [
        f"images_labeled_by_folder/lynx/1.{cat[:8]}.png"
    ]


def test_a_large_label_is_merged_in_several_requests(
    console: Console, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labels, "MOVED_AT_ONCE", 2)
    for number in range(1, 4):
        world.labelled("cat", f"{number}.png", number)
    order = {"label": "cat", "into": "dog"}

    answers = [console.ok("POST", "/api/labels/merge", order, groups=OPERATOR) for _ in range(2)]

    assert [(each["done"], each["more"]) for each in answers] == [(2, True), (1, False)]
    assert world.keys("images_labeled_by_folder/cat/") == []


def test_images_that_no_label_fits_become_a_label(console: Console, world: World) -> None:
    world.set(Labels="cat,dog")
    review = world.asked(Label("cat", 40.0), name="1.png", version="v1")
    world.taken_in(world.answered(review, NONE_OF_THE_ABOVE))
    (group,) = console.ok("GET", "/api/labels/none", groups=OPERATOR)["items"]
    (image,) = group["images"]
    assert (image["image"], image["scores"]) == ("1.png", {"cat": 40.0})

    order = {"label": "emu", "ids": [image["id"]]}
    done = console.ok("POST", "/api/labels/make", order, groups=OPERATOR)

    assert done == {"done": 1, "failed": []}
    (key,) = world.keys("images_labeled_by_folder/emu/")
    reconcile(key, world.deps)
    assert world.deps.dataset.label_counts().by_label["emu"].train == 1
    assert console.ok("GET", "/api/labels/none", groups=OPERATOR)["items"] == []
