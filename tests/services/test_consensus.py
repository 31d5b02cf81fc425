"""Business rule: people are asked until a label is sure enough, and believed as they deserve."""

import pytest

from loupe.adapters.reliabilities import judged
from loupe.domain.certainty import Case, Judgement, Reliability, judge
from loupe.domain.detection import DetectionState, Label
from loupe.domain.review import ReviewState
from loupe.services.review_answers import decide_conflict
from loupe.services.review_desk import answer
from tests.adapters.world import World

SURE_OF_CAT = (Label("cat", 65.0), Label("dog", 20.0), Label("emu", 10.0))


@pytest.fixture
def two(world: World) -> World:
    """Two people at most are asked."""
    world.set(Labels="cat,dog,emu", Reviewers_Per_Image="2")
    world.version("v1")
    return world


def right(world: World, name: str, count: int, of: int) -> None:
    """Somebody was right in `count` of `of` answers about each label."""
    judgements = [
        Judgement(name, label, number < count)
        for label in ("cat", "dog", "emu")
        for number in range(of)
    ]
    for start in range(0, len(judgements), 25):
        for write in judged(judgements[start : start + 25]):
            world.deps.table.write([write])


def settled(world: World, review: str) -> tuple[ReviewState, str]:
    """The review after its answers are recorded, and the image's first label."""
    world.taken_in(world.output(review))
    known = world.deps.reviews.get(review)
    return known.state, world.detection(known.image).labels[0].name


def test_an_answer_that_the_model_shares_is_enough(two: World) -> None:
    review = two.asked(*SURE_OF_CAT, version="v1")

    assert answer(review, "ada", "cat", two.deps).state == ReviewState.CLOSING
    assert settled(two, review) == (ReviewState.DONE, "cat")


def test_an_answer_against_the_model_asks_another_person(two: World) -> None:
    review = two.asked(*SURE_OF_CAT, version="v1")

    assert answer(review, "ada", "emu", two.deps).state == ReviewState.OPEN
    assert answer(review, "bob", "emu", two.deps).state == ReviewState.CLOSING
    assert settled(two, review) == (ReviewState.DONE, "emu")


def test_where_two_people_disagree_the_model_can_decide(two: World) -> None:
    review = two.asked(*SURE_OF_CAT, version="v1")

    answer(review, "ada", "emu", two.deps)
    answer(review, "bob", "cat", two.deps)

    assert settled(two, review) == (ReviewState.DONE, "cat")


def test_without_an_opinion_two_who_disagree_are_a_conflict(two: World) -> None:
    review = two.asked()

    answer(review, "ada", "emu", two.deps)
    answer(review, "bob", "cat", two.deps)
    two.taken_in(two.output(review))

    assert two.deps.reviews.get(review).state == ReviewState.CONFLICT
    (event,) = two.events("ReviewConflict")
    assert "no label is sure enough" in event["text"]


def test_who_was_right_before_is_believed(two: World) -> None:
    right(two, "ada", 30, of=30)
    right(two, "bob", 10, of=30)
    review = two.asked()

    answer(review, "bob", "cat", two.deps)
    answer(review, "ada", "emu", two.deps)

    assert settled(two, review) == (ReviewState.DONE, "emu")


def test_a_reliable_person_is_asked_alone(two: World) -> None:
    right(two, "ada", 30, of=30)
    review = two.asked()

    assert answer(review, "ada", "emu", two.deps).state == ReviewState.CLOSING


def test_the_certainty_that_ends_the_asking_is_a_setting(two: World) -> None:
    two.set(Minimum_Label_Certainty="0.8")
    review = two.asked()

    assert answer(review, "ada", "emu", two.deps).state == ReviewState.CLOSING


def test_who_is_right_is_counted_by_what_others_say(two: World) -> None:
    right(two, "ada", 30, of=30)
    review = two.asked(*SURE_OF_CAT, version="v1")

    answer(review, "bob", "emu", two.deps)
    answer(review, "ada", "cat", two.deps)
    settled(two, review)

    counts = two.deps.reliabilities.of(["bob", "model v1"])
    assert counts["bob"] == {"cat": Reliability(1, 0)}


def test_an_operators_decision_says_who_was_right(two: World) -> None:
    review = two.asked()
    answer(review, "ada", "emu", two.deps)
    answer(review, "bob", "cat", two.deps)
    two.taken_in(two.output(review))

    decide_conflict(review, "cat", "op", two.deps)

    assert two.deps.reliabilities.of(["ada", "bob", "op"]) == {
        "ada": {"cat": Reliability(1, 0)},
        "bob": {"cat": Reliability(1, 1)},
        "op": {},
    }
    image = two.deps.reviews.get(review).image
    assert two.detection(image).state == DetectionState.ANSWERED


def test_the_model_alone_judges_nobody() -> None:
    case = Case({"ada": "emu"}, "model v1", {"cat": 99.0})

    assert judge(case, {}, ("cat", "dog", "emu")) == [Judgement("model v1", "emu", False)]
