"""Business rule: where people do not agree, an operator's word decides."""

import pytest

from loupe.console.access import Role
from loupe.domain.detection import Label
from loupe.domain.review import ReviewState
from tests.adapters.world import World
from tests.console.console import Console

OPERATOR = f"[{Role.OPERATOR}]"


@pytest.fixture
def conflict(world: World) -> str:
    """Given an image that two people label differently."""
    world.set(Labels="cat,dog", Reviewers_Per_Image="2")
    undecided = Label("cat", 35.0), Label("dog", 35.0)
    review = world.asked(*undecided, name="odd.png", version="v1", picture=20)
    world.taken_in(world.answered(review, "cat", "dog"))
    return review


@pytest.fixture
def two_labels(world: World) -> str:
    """Given a picture that stands under two labels."""
    world.labelled("cat", "3.png", 3)
    world.labelled("dog", "4.png", 3)
    return next(world.deps.reviews.newest(ReviewState.CONFLICT)).id


def test_a_conflict_shows_who_says_what(console: Console, conflict: str) -> None:
    page = console.ok("GET", "/api/conflicts", groups=OPERATOR)

    (item,) = page["items"]
    assert page["next"] is None
    assert "images_for_detection/odd.png" in item["picture"]
    assert [(answer["worker"], answer["label"]) for answer in item["answers"]] == [
        ("person 0", "cat"),
        ("person 1", "dog"),
    ]
    assert item | {"picture": "", "answers": [], "at": ""} == {
        "id": conflict,
        "image": "odd.png",
        "picture": "",
        "labels": ["cat", "dog"],
        "answers": [],
        "copies": [],
        "at": "",
    }


def test_a_picture_under_two_labels_shows_its_copies(console: Console, two_labels: str) -> None:
    (item,) = console.ok("GET", "/api/conflicts")["items"]

    assert item["id"] == two_labels
    assert [(copy["image"], copy["label"]) for copy in item["copies"]] == [
        ("cat/3.png", "cat"),
        ("dog/4.png", "dog"),
    ]
    assert "images_labeled_by_folder/dog/4.png" in item["copies"][1]["picture"]


def test_pages_follow_each_other_newest_first(
    console: Console, conflict: str, two_labels: str
) -> None:
    first = console.ok("GET", "/api/conflicts", query={"limit": "1"})
    second = console.ok("GET", "/api/conflicts", query={"limit": "1", "cursor": first["next"]})

    assert [item["id"] for page in (first, second) for item in page["items"]] == [
        *sorted((conflict, two_labels), key=lambda each: each == conflict)
    ]
    assert second["next"] is None


def test_the_operators_word_ends_it(console: Console, world: World, conflict: str) -> None:
    path = f"/api/conflicts/{conflict}"

    answer = console.ok("POST", path, {"label": "dog"}, name="olga", groups=OPERATOR)

    assert answer == {"message": "Decided: dog."}
    review = world.deps.reviews.get(conflict)
    assert review.state == ReviewState.DONE
    assert (review.answers[-1].worker, review.answers[-1].label) == ("olga", "dog")
    assert console.ok("GET", "/api/conflicts")["items"] == []
    assert len(world.keys("images_labeled_by_folder/dog/")) == 1


def test_none_of_the_above_is_a_word_too_and_makes_no_labelled_image(
    console: Console, world: World, conflict: str
) -> None:
    console.ok("POST", f"/api/conflicts/{conflict}", {"label": "none of the above"})

    assert world.deps.reviews.get(conflict).state == ReviewState.DONE
    assert world.keys("images_labeled_by_folder/") == []


@pytest.mark.parametrize(
    ("label", "status", "words"), [("emu", 400, "emu"), ("cat", 409, "not a conflict")]
)
def test_what_is_not_offered_or_too_late_changes_nothing(
    console: Console, world: World, conflict: str, label: str, status: int, words: str
) -> None:
    if status == 409:
        console.ok("POST", f"/api/conflicts/{conflict}", {"label": "dog"})
    before = world.deps.reviews.get(conflict)

    response = console.ask("POST", f"/api/conflicts/{conflict}", {"label": label})

    assert response.status == status
    assert words in response.body["message"]
    assert world.deps.reviews.get(conflict) == before
