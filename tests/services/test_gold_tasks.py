"""Business rule: now and then a reviewer gets an image whose label is known, which counts them."""

import pytest

from loupe.domain.certainty import Reliability
from loupe.domain.review import Review, ReviewPurpose, ReviewState
from loupe.services.labelled_images import reconcile
from loupe.services.review_desk import answer, claim_tasks
from tests.adapters.world import World


@pytest.fixture
def desk(world: World) -> World:
    """Every second task is a gold task; there are three reviews and one labelled image."""
    world.set(Labels="cat,dog", Gold_Task_Interval="2")
    world.labelled("cat", "known.png", 40)
    for number in range(3):
        world.asked(name=f"{number}.png", picture=number)
    return world


def claimed(world: World, worker: str = "ada") -> list[Review]:
    return claim_tasks(worker, 1, world.deps)


def gold_task(world: World, worker: str = "ada") -> Review:
    """The gold task that comes after two answers."""
    for _ in range(2):
        (task,) = claimed(world, worker)
        answer(task.id, worker, "dog", world.deps)
    *_, gold = claimed(world, worker)
    assert gold.purpose == ReviewPurpose.GOLD
    return gold


def test_a_gold_task_comes_beside_other_work_after_an_interval(desk: World) -> None:
    gold = gold_task(desk)

    assert gold.labels == ("cat", "dog")
    assert list(gold.claims) == ["ada"]
    again = [task.id for task in claim_tasks("ada", 9, desk.deps)]
    assert again.count(gold.id) == 1
    assert len(again) == 2, "no other gold task"


def test_nobody_can_tell_it_from_a_quality_sample(desk: World) -> None:
    gold = gold_task(desk)

    assert gold.shown_reason == "a sample to measure quality"
    assert gold.shown_name == "known.png"
    assert gold.as_json()["image"] == "known.png"
    assert gold.shown_guess == ()


def test_who_has_no_other_work_gets_none(desk: World) -> None:
    desk.set(Gold_Task_Interval="3")
    for _ in range(3):
        (task,) = claimed(desk)
        answer(task.id, "ada", "dog", desk.deps)

    assert claimed(desk) == []


def test_with_0_there_are_none(desk: World) -> None:
    desk.set(Gold_Task_Interval="0")

    for _ in range(2):
        (task,) = claimed(desk)
        answer(task.id, "ada", "dog", desk.deps)
    assert len(claimed(desk)) == 1


def test_who_gave_the_label_is_not_asked_about_it(desk: World) -> None:
    desk.labelled("dog", "own.png", 41, **{"loupe-reviewers": "2", "loupe-by": "ada,bob"})
    desk.remove("images_labeled_by_folder/cat/known.png")
    reconcile("images_labeled_by_folder/cat/known.png", desk.deps)

    for _ in range(2):
        (task,) = claimed(desk)
        answer(task.id, "ada", "dog", desk.deps)
    assert len(claimed(desk)) == 1


@pytest.mark.parametrize(("label", "right"), [("cat", 1), ("dog", 0)])
def test_the_known_label_says_whether_the_answer_is_right(
    desk: World, label: str, right: int
) -> None:
    gold = gold_task(desk)
    before = desk.keys("images_labeled_by_folder/")

    answer(gold.id, "ada", label, desk.deps)
    desk.taken_in(desk.output(gold.id))

    assert desk.deps.reviews.get(gold.id).state == ReviewState.DONE
    assert desk.deps.reliabilities.of(["ada"])["ada"] == {"cat": Reliability(1, right)}
    assert desk.keys("images_labeled_by_folder/") == before


def test_an_image_that_lost_its_label_judges_nobody(desk: World) -> None:
    gold = gold_task(desk)
    desk.remove(gold.image.key)
    reconcile(gold.image.key, desk.deps)

    answer(gold.id, "ada", "dog", desk.deps)
    desk.taken_in(desk.output(gold.id))

    assert desk.deps.reviews.get(gold.id).state == ReviewState.WITHDRAWN
    assert desk.deps.reliabilities.of(["ada"])["ada"] == {}


def test_an_image_is_a_gold_task_once_for_each_reviewer(desk: World) -> None:
    gold = gold_task(desk)
    answer(gold.id, "ada", "cat", desk.deps)
    desk.taken_in(desk.output(gold.id))
    desk.asked(name="4.png", picture=4)

    (task,) = claimed(desk)
    answer(task.id, "ada", "dog", desk.deps)

    assert [each.purpose for each in claimed(desk)] == [ReviewPurpose.COLD_START]


def test_a_reviewer_who_is_often_wrong_is_told_of_once(desk: World) -> None:
    desk.set(Gold_Task_Interval="1", Minimum_Reviewer_Reliability="0.7")
    for number in range(10, 16):
        desk.labelled("cat", f"{number}.png", number)
    for number in range(20, 28):
        desk.asked(name=f"{number}.png", picture=number)

    for _ in range(7):
        for task in claimed(desk):
            answer(task.id, "ada", "dog", desk.deps)
            if task.purpose == ReviewPurpose.GOLD:
                desk.taken_in(desk.output(task.id))

    (event,) = desk.events("ReviewerUnreliable")
    assert event["detail"]["reviewer"] == "ada"
    assert event["detail"]["reliability"] < 0.7
