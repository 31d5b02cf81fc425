"""Business rule: a reviewer claims the oldest reviews, answers them, or gives them back."""

from datetime import timedelta

import pytest

from loupe.domain.review import ReviewState
from loupe.errors import AlreadyDone
from loupe.services.review_desk import answer, claim_tasks, give_back, open_tasks, try_answer
from tests.adapters.world import World


@pytest.fixture
def reviews(world: World) -> list[str]:
    """Three reviews that need two answers each, the oldest first."""
    world.set(Labels="cat,dog", Reviewers_Per_Image="2")
    ids = []
    for number in range(3):
        ids.append(world.asked(name=f"{number}.png", picture=number))
        world.deps.now += timedelta(minutes=1)
    return ids


def claimed(world: World, worker: str, count: int = 10) -> list[str]:
    return [review.id for review in claim_tasks(worker, count, world.deps)]


def test_the_oldest_reviews_are_claimed_first(world: World, reviews: list[str]) -> None:
    assert claimed(world, "ada", 2) == reviews[:2]
    assert list(world.deps.reviews.get(reviews[0]).claims) == ["ada"]
    assert world.deps.reviews.get(reviews[2]).claims == {}


def test_a_claimed_review_is_for_others_only_after_its_answer(
    world: World, reviews: list[str]
) -> None:
    assert claimed(world, "ada") == reviews
    assert claimed(world, "bob") == []

    answer(reviews[0], "ada", "dog", world.deps)

    assert claimed(world, "bob") == [reviews[0]]


def test_a_review_that_is_given_back_is_for_others(world: World, reviews: list[str]) -> None:
    for worker in ("ada", "bob"):
        claimed(world, worker)

    give_back(reviews[1], "ada", False, world.deps)

    assert claimed(world, "cleo") == [reviews[1]]


def test_who_skips_a_review_does_not_get_it_again(world: World, reviews: list[str]) -> None:
    claimed(world, "ada")

    give_back(reviews[0], "ada", True, world.deps)

    assert claimed(world, "ada") == reviews[1:]
    assert world.deps.reviews.get(reviews[0]).skipped == ("ada",)


def test_a_review_that_is_over_is_not_given_back(world: World, reviews: list[str]) -> None:
    claimed(world, "ada")
    world.answered(reviews[0], "cat", "cat")
    before = world.deps.reviews.get(reviews[0])

    give_back(reviews[0], "ada", True, world.deps)

    assert world.deps.reviews.get(reviews[0]) == before


def test_open_reviews_are_counted(world: World, reviews: list[str]) -> None:
    assert open_tasks(world.deps) == 3

    world.answered(reviews[0], "cat", "cat")

    assert open_tasks(world.deps) == 2


def test_an_answer_says_how_far_the_review_is_and_a_refusal_why(
    world: World, reviews: list[str]
) -> None:
    first = try_answer(reviews[0], "ada", "cat", world.deps)
    again = try_answer(reviews[0], "ada", "cat", world.deps)
    last = try_answer(reviews[0], "bob", "cat", world.deps)

    assert first == {"state": ReviewState.OPEN}
    assert "ada answered" in again["error"]
    assert last == {"state": ReviewState.CLOSING}


def test_a_review_that_others_change_all_the_time_asks_for_another_try(
    world: World, reviews: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.deps.reviews, "try_move", lambda *_: False)

    with pytest.raises(AlreadyDone, match=f"review {reviews[0]}; try again"):
        answer(reviews[0], "ada", "cat", world.deps)
    with pytest.raises(AlreadyDone, match=f"review {reviews[0]}; try again"):
        give_back(reviews[0], "ada", True, world.deps)
