"""Business rule: a reviewer claims the most urgent reviews, answers them, or gives them back."""

from datetime import timedelta

import pytest

from loupe.domain.detection import Label
from loupe.domain.reports import Report
from loupe.domain.review import ReviewPurpose, ReviewState
from loupe.errors import AlreadyDone
from loupe.services.reports import report_answer
from loupe.services.review_desk import answer, claim_tasks, give_back, open_tasks, try_answer
from loupe.services.reviews import BATCH
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


@pytest.fixture
def kinds(world: World) -> dict[str, str]:
    """Reviews of twelve images of one kind and then two of others; each review and its kind."""
    world.set(Labels="cat,dog")
    pictures = [0] * 12 + [1, 2]
    return {
        world.asked(Label("cat", 30.0), name=f"{number}.png", version="v1", picture=picture): str(
            picture
        )
        for number, picture in enumerate(pictures)
    }


def answered_one_by_one(world: World, count: int) -> list[str]:
    """The reviews that one person is asked about, who answers each before the next."""
    asked = []
    for _ in range(count):
        (review,) = claimed(world, "ada", 1)
        answer(review, "ada", "cat", world.deps)
        asked.append(review)
    return asked


def test_who_answers_one_image_after_another_is_asked_about_each_kind(
    world: World, kinds: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loupe.services.reviews.BATCH", 3)

    asked = answered_one_by_one(world, 3)

    assert {kinds[review] for review in asked} == {"0", "1", "2"}


def test_after_a_batch_the_next_one_is_chosen_and_nothing_is_left_out(
    world: World, kinds: dict[str, str]
) -> None:
    assert sorted(answered_one_by_one(world, len(kinds))) == sorted(kinds)
    assert claimed(world, "ada", 1) == []


def test_a_batch_is_chosen_once_for_all_reviewers(world: World, kinds: dict[str, str]) -> None:
    first = claimed(world, "ada", 4) + claimed(world, "bob", 6)

    chosen = [review.id for review in world.deps.reviews.newest() if review.chosen]

    assert sorted(chosen) == sorted(first)
    assert len(chosen) == BATCH


@pytest.mark.parametrize("strategy", ["arrival", "margin", "margin-diverse"])
def test_a_report_is_claimed_first_by_every_strategy(
    world: World, kinds: dict[str, str], strategy: str
) -> None:
    world.set(Review_Strategy=strategy)
    claimed(world, "bob", 1)
    report_answer(Report(world.accepted("late.png").name, "", "ann"), world.deps)

    tasks = claim_tasks("ada", 2, world.deps)

    assert [task.purpose for task in tasks] == [ReviewPurpose.REPORTED, ReviewPurpose.UNSURE]


def test_by_arrival_the_oldest_come_first_and_by_margin_the_least_sure(world: World) -> None:
    world.set(Labels="cat,dog")
    sure, unsure = (
        world.asked(Label("cat", confidence), name=f"{confidence}.png", version="v1")
        for confidence in (60.0, 20.0)
    )

    world.set(Review_Strategy="arrival")
    assert claimed(world, "ada") == [sure, unsure]
    world.set(Review_Strategy="margin")
    assert claimed(world, "ada") == [unsure, sure]


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
