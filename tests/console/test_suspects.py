"""Business rule: an operator confirms or corrects the labels that versions doubt."""

import pytest

from loupe.console.access import Role
from loupe.domain.labelled_images import hashed_key
from loupe.domain.suspects import ListedSuspect
from tests.adapters.world import World
from tests.console.console import Console

OPERATOR = f"[{Role.OPERATOR}]"


@pytest.fixture
def doubted(world: World) -> str:
    """Given a labelled image whose label v1 doubts; returns its id."""
    key = world.labelled("cat", "1.png", 1)
    world.deps.suspects.write(ListedSuspect(key, "cat", "dog", 91.5, "v1", "2026-01-01"))
    return hashed_key(key)


def test_the_most_doubtful_labels_come_first(console: Console, world: World, doubted: str) -> None:
    key = world.labelled("cat", "2.png", 2)
    world.deps.suspects.write(ListedSuspect(key, "cat", "dog", 20.0, "v1", "2026-01-02"))

    first, second = console.ok("GET", "/api/dataset/suspects", groups=OPERATOR)["items"]

    picture = first.pop("picture")
    assert "images_labeled_by_folder/cat/1.png" in picture
    assert first == {
        "id": doubted,
        "image": "cat/1.png",
        "label": "cat",
        "instead": "dog",
        "lead": 91.5,
        "version": "v1",
    }
    assert second["image"] == "cat/2.png"


def test_a_label_is_confirmed(console: Console, doubted: str) -> None:
    answer = console.ok("POST", f"/api/dataset/suspects/{doubted}/confirm", groups=OPERATOR)

    assert answer == {"message": "Confirmed: cat."}
    assert console.ok("GET", "/api/dataset/suspects", groups=OPERATOR)["items"] == []


def test_a_label_is_corrected(console: Console, world: World, doubted: str) -> None:
    answer = console.ok(
        "POST", f"/api/dataset/suspects/{doubted}/correct", {"label": "dog"}, groups=OPERATOR
    )

    assert answer == {"versions": []}
    assert world.keys("images_labeled_by_folder/cat/") == []
    assert console.ok("GET", "/api/dataset/suspects", groups=OPERATOR)["items"] == []


def test_what_is_no_suspect_is_refused_in_words(console: Console) -> None:
    response = console.ask("POST", f"/api/dataset/suspects/{'0' * 32}/confirm", groups=OPERATOR)

    assert (response.status, response.body["message"]) == (
        404,
        "It is no suspect (any more); 'loupe suspects' lists them.",
    )
