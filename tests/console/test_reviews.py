"""Business rule: a reviewer gets tasks that nobody else has, answers them, or gives them back."""

import json

import pytest

from loupe.console.access import Role
from loupe.domain.detection import Label
from loupe.domain.review import ReviewState
from tests.adapters.world import World
from tests.console.console import Console

REVIEWER = f"[{Role.REVIEWER}]"
UNSURE = Label("cat", 40.0)


@pytest.fixture
def asked(world: World) -> list[str]:
    """Given two reviews, the older one first."""
    world.set(Labels="cat,dog")
    return [world.asked(UNSURE, name=f"{n}.png", version="v1", picture=10 + n) for n in range(2)]


def claim(console: Console, count: int, name: str) -> list[str]:
    """The ids of tasks that are claimed."""
    body = {"count": count}
    claimed = console.ok("POST", "/api/reviews/claim", body, name=name, groups=REVIEWER)
    return [task["id"] for task in claimed["tasks"]]


def test_a_task_says_what_to_choose_from_and_how_long_it_is_kept(
    console: Console, asked: list[str]
) -> None:
    claimed = console.ok("POST", "/api/reviews/claim", {}, name="ann", groups=REVIEWER)

    assert claimed["waiting"] == 1
    assert claimed["mine"] == {"today": 0, "total": 0}
    (task,) = claimed["tasks"]
    assert "images_for_detection/0.png" in task["picture"]
    assert "versionId=" in task["picture"]
    assert "2026-01-01T12:10" <= task["until"] < "2026-01-01T12:11"
    assert task | {"picture": "", "until": ""} == {
        "id": asked[0],
        "image": "0.png",
        "picture": "",
        "labels": ["cat", "dog"],
        "guess": [],
        "reason": "the model was unsure",
        "until": "",
        "wanted": 1,
    }


def test_the_models_guess_is_shown_only_when_people_may_see_it(
    console: Console, world: World
) -> None:
    world.set(Labels="cat,dog", Show_Model_Guess="true")
    world.asked(UNSURE, version="v1")

    (task,) = console.ok("POST", "/api/reviews/claim", {"count": 1})["tasks"]

    assert task["guess"] == [{"name": "cat", "confidence": 40, "by": "model"}]
    assert "40" in task["reason"]


def test_a_task_is_kept_for_whoever_claimed_it(console: Console, asked: list[str]) -> None:
    assert claim(console, 1, "ann") == asked[:1]
    assert claim(console, 5, "bob") == asked[1:]
    assert claim(console, 5, "ann") == asked[:1]


def test_answers_count_for_their_reviewer_and_are_handed_over(
    console: Console, world: World, asked: list[str]
) -> None:
    path = f"/api/reviews/{asked[0]}/answer"

    mine = console.ok("POST", path, {"label": "dog"}, name="ann", groups=REVIEWER)
    console.ok("POST", f"/api/reviews/{asked[1]}/answer", {"label": "cat"}, name="bob")

    assert mine == {"mine": {"today": 1, "total": 1}}
    review = world.deps.reviews.get(asked[0])
    assert review.state == ReviewState.CLOSING
    assert [(answer.worker, answer.label) for answer in review.answers] == [("ann", "dog")]
    output = json.loads(world.deps.objects.read(world.output(asked[0]).key))
    assert output["humanLoopName"] == asked[0]


def test_answers_of_another_day_count_in_all_only(
    console: Console, world: World, asked: list[str]
) -> None:
    console.ok("POST", f"/api/reviews/{asked[0]}/answer", {"label": "dog"}, name="ann")
    world.deps.now = world.deps.now.replace(day=2)

    answered = console.ok("POST", f"/api/reviews/{asked[1]}/answer", {"label": "dog"}, name="ann")

    assert answered["mine"] == {"today": 1, "total": 2}


def test_a_label_that_is_not_offered_is_no_answer(
    console: Console, world: World, asked: list[str]
) -> None:
    response = console.ask("POST", f"/api/reviews/{asked[0]}/answer", {"label": "emu"})

    assert response.status == 400
    assert "emu" in response.body["message"]
    assert world.deps.reviews.get(asked[0]).answers == ()


def test_an_answer_after_the_last_one_is_too_late(console: Console, asked: list[str]) -> None:
    path = f"/api/reviews/{asked[0]}/answer"
    console.ok("POST", path, {"label": "dog"}, name="ann")

    assert console.ask("POST", path, {"label": "cat"}, name="bob").status == 409
    assert console.ask("POST", path, {"label": "dog"}, name="ann").status == 200  # Sent again.


def test_a_task_that_is_given_back_is_anybodys(
    console: Console, world: World, asked: list[str]
) -> None:
    claim(console, 1, "ann")

    assert console.ok("POST", f"/api/reviews/{asked[0]}/release", {}, name="ann") == {}
    assert world.deps.reviews.get(asked[0]).claims == {}
    assert claim(console, 1, "ann") == asked[:1]


def test_a_task_that_is_skipped_is_for_others(console: Console, asked: list[str]) -> None:
    claim(console, 1, "ann")
    console.ok("POST", f"/api/reviews/{asked[0]}/release", {"skip": True}, name="ann")

    assert claim(console, 5, "ann") == asked[1:]
    assert claim(console, 1, "bob") == asked[:1]
