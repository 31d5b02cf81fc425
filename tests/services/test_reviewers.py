"""Business rule: an operator sees how much, how fast and how well each reviewer answers."""

from datetime import timedelta

import pytest

from loupe.adapters.reliabilities import judged
from loupe.domain.certainty import Judgement, Reliability
from loupe.services.review_desk import answer
from loupe.services.reviewers import reviewers
from tests.adapters.world import World


@pytest.fixture
def answered(world: World) -> World:
    """Ada and Bob have answered three reviews, and disagree on the last one."""
    world.set(Labels="cat,dog", Reviewers_Per_Image="2", Minimum_Label_Certainty="1")
    for number, (ada, bob) in enumerate([("cat", "cat"), ("dog", "dog"), ("cat", "dog")]):
        review = world.asked(name=f"{number}.png", picture=number)
        answer(review, "ada", ada, world.deps)
        world.deps.now += timedelta(seconds=20)
        answer(review, "bob", bob, world.deps)
        world.taken_in(world.output(review))
        world.deps.now += timedelta(seconds=10)
    return world


def test_answers_time_and_agreement_are_figured(answered: World) -> None:
    known = reviewers(answered.deps)

    ada, bob = known.reviewers
    assert (ada.name, ada.answers, ada.shared) == ("ada", 3, 3)
    assert ada.seconds is not None
    assert 30 <= ada.seconds < 45
    assert ada.agreement == bob.agreement == pytest.approx(0.4)
    assert known.reviews == 3
    assert known.agreement == pytest.approx(4 / 9)


def test_a_break_is_no_working_time(answered: World) -> None:
    before = reviewers(answered.deps).reviewers[0].seconds
    answered.deps.now += timedelta(hours=1)
    answer(answered.asked(name="late.png", picture=9), "ada", "cat", answered.deps)

    assert reviewers(answered.deps).reviewers[0].seconds == before


def test_reliability_comes_from_judged_answers(answered: World) -> None:
    for number in range(20):
        answered.deps.table.write(judged([Judgement("bob", "cat", number < 5)]))

    ada, bob = reviewers(answered.deps).reviewers

    assert bob.labels["cat"].answered >= 20
    assert bob.below
    assert not ada.below
    assert ada.gold == Reliability()


def test_without_answers_there_is_nobody(world: World) -> None:
    known = reviewers(world.deps)

    assert known.reviewers == []
    assert known.agreement is None
