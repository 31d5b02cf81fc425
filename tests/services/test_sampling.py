"""Business rule: every n-th detection is checked by a person who does not see the guess."""

from datetime import timedelta
from typing import Any

import pytest

from loupe.domain.detection import Label
from loupe.domain.keys import NONE_OF_THE_ABOVE
from loupe.domain.review import ReviewPurpose, ReviewState
from loupe.services.sampling import sample_reviews
from tests.adapters.world import World, table_resource


@pytest.fixture(autouse=True)
def sampling(world: World) -> None:
    """Given a version in service, two labels, and every second detection sampled."""
    world.set(Labels="cat,dog", Human_Sampling_Interval="2", Show_Model_Guess="true")
    world.version("v1")


def quality(world: World) -> list[Any]:
    found = [r for r in world.deps.reviews.newest() if r.purpose == ReviewPurpose.QUALITY]
    return sorted(found, key=lambda review: review.image.name)


def test_every_nth_detection_is_sampled_over_runs_of_any_size(world: World) -> None:
    sampled = []
    for number in range(5):
        world.accepted(f"{number}.png")
        sampled.append(sample_reviews(world.deps))

    assert sampled == [0, 1, 0, 1, 0]
    assert [review.image.name for review in quality(world)] == ["1.png", "3.png"]


def test_a_sample_hides_the_guess_whatever_the_setting_says(world: World) -> None:
    world.accepted("1.png")
    world.accepted("2.png")
    sample_reviews(world.deps)

    (review,) = quality(world)
    assert not review.guess_shown
    assert review.as_json()["guess"] == []


def test_sampling_that_is_off_samples_nothing_and_loses_no_place(world: World) -> None:
    world.set(Enable_Automatic_Human_Sampling="false")
    for number in range(2):
        world.accepted(f"{number}.png")
    assert sample_reviews(world.deps) == 0

    world.set(Enable_Automatic_Human_Sampling="true")

    assert sample_reviews(world.deps) == 1


@pytest.mark.parametrize(("answer", "agreed"), [("cat", 1), ("dog", 0), (NONE_OF_THE_ABOVE, 0)])
def test_the_answer_scores_the_version_that_answered_and_trains_nothing(
    world: World, answer: str, agreed: int
) -> None:
    world.accepted("1.png")
    world.accepted("2.png", label="cat")
    sample_reviews(world.deps)
    world.version("v2")

    (review,) = quality(world)
    world.taken_in(world.answered(review.id, answer))

    scored = world.deps.versions.get("v1")
    assert (scored.samples, scored.samples_agreed) == (1, agreed)
    assert world.deps.versions.get("v2").samples == 0
    assert world.keys("images_labeled_by_folder/") == []
    assert f"{agreed} of 1 samples" in world.events("QualityScored")[0]["text"]
    assert world.detection(review.image).state == "accepted"


def test_a_sample_is_scored_once_however_often_its_answer_arrives(world: World) -> None:
    world.accepted("1.png")
    world.accepted("2.png")
    sample_reviews(world.deps)
    (review,) = quality(world)
    output = world.answered(review.id, "cat")

    for _ in range(2):
        world.taken_in(output)

    assert world.deps.versions.get("v1").samples == 1


def test_an_image_in_review_already_is_not_asked_about_twice(world: World) -> None:
    world.accepted("1.png")
    review = world.asked(Label("cat", 40.0), name="2.png", version="v1", picture=2)

    sample_reviews(world.deps)

    assert quality(world) == []
    assert world.deps.reviews.get(review).also_quality

    world.taken_in(world.answered(review, "cat"))

    scored = world.deps.versions.get("v1")
    assert (scored.samples, scored.samples_agreed) == (1, 1)
    assert len(world.keys("images_labeled_by_folder/cat/")) == 1


def test_an_open_review_that_becomes_a_sample_shows_no_guess_any_more(world: World) -> None:
    world.accepted("1.png")
    review = world.asked(Label("cat", 40.0), name="2.png", version="v1", picture=2)
    assert world.deps.reviews.get(review).shown_guess

    sample_reviews(world.deps)

    shown = world.deps.reviews.get(review)
    assert shown.also_quality
    assert shown.shown_guess == ()
    assert "cat" not in shown.shown_reason
    assert shown.as_json()["guess"] == []


def test_an_answer_that_was_given_in_view_of_the_guess_measures_nothing(world: World) -> None:
    world.accepted("1.png")
    review = world.asked(Label("cat", 40.0), name="2.png", version="v1", picture=2)
    world.taken_in(world.answered(review, "cat"))

    sample_reviews(world.deps)

    assert world.deps.versions.get("v1").samples == 0
    (asked,) = quality(world)
    assert asked.image.name == "2.png"
    assert [label.name for label in asked.guess] == ["cat"]
    world.taken_in(world.answered(asked.id, "dog"))
    scored = world.deps.versions.get("v1")
    assert (scored.samples, scored.samples_agreed) == (1, 0)


def test_an_image_that_was_answered_already_scores_with_that_answer(world: World) -> None:
    world.set(Show_Model_Guess="false")
    world.accepted("1.png")
    review = world.asked(Label("cat", 40.0), name="2.png", version="v1", picture=2)
    world.taken_in(world.answered(review, "dog"))

    sample_reviews(world.deps)

    scored = world.deps.versions.get("v1")
    assert (scored.samples, scored.samples_agreed) == (1, 0)
    assert world.deps.reviews.get(review).state == ReviewState.DONE


def test_a_run_that_is_repeated_opens_no_second_review(world: World) -> None:
    for number in range(2):
        world.accepted(f"{number}.png")
    sample_reviews(world.deps)
    table_resource().delete_item(Key={"pk": "STATE", "sk": "SAMPLING"})

    sample_reviews(world.deps)

    assert len(quality(world)) == 1


def test_with_amazon_a2i_a_loop_is_started(world: World) -> None:
    world.use(loops=world.loops)
    for number in range(2):
        world.accepted(f"{number}.png")

    sample_reviews(world.deps)

    assert world.loops.started == [quality(world)[0].id]


def test_a_run_goes_on_until_it_has_caught_up(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("loupe.services.sampling.CHUNK", 2)
    for number in range(7):
        world.accepted(f"{number}.png")

    assert sample_reviews(world.deps) == 3
    assert '"SamplingBehindHours":[0.0]' in capsys.readouterr().out


def test_a_run_that_ends_before_it_has_caught_up_says_so_and_the_next_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("loupe.services.sampling.CHUNK", 2)
    for number in range(7):
        world.accepted(f"{number}.png")
    monkeypatch.setattr("loupe.services.sampling.TIME_PER_RUN", timedelta(seconds=2))
    world.deps.now += timedelta(hours=3)

    first = sample_reviews(world.deps)
    assert 0 < first < 3
    assert '"SamplingBehindHours":[3.' in capsys.readouterr().out

    monkeypatch.undo()
    assert first + sample_reviews(world.deps) == 3
    assert [review.image.name for review in quality(world)] == ["1.png", "3.png", "5.png"]
