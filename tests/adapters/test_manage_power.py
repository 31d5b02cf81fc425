"""Business rule: the model runs for a backlog, rests when idle, and what waits is read."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from loupe.domain.detection import REVIEW, WAITING, Answer, Label
from loupe.domain.review import OPEN, QUEUED, WITHDRAWN
from loupe.handlers import request_review
from loupe.handlers.manage_power import keep_going
from loupe.handlers.promote_model import promote
from tests.adapters.world import World


@pytest.fixture
def serving(world: World) -> World:
    """A version in service that runs."""
    world.version("v1", arn="arn:v1")
    promote("v1", "it is good", world.deps)
    world.rekognition.become("v1", "RUNNING")
    return world


def test_before_the_first_model_images_wait_until_labels_are_known(world: World) -> None:
    world.received()

    assert keep_going(world.deps)["queued"] == 0

    world.set(Labels="cat,dog")

    assert keep_going(world.deps)["queued"] == 1
    assert world.queued()[0]["detail"]["object"]["key"] == "images_for_detection/a b+ü.png"


def test_a_queue_that_is_at_work_is_not_filled_again(world: World) -> None:
    world.set(Labels="cat,dog")
    world.received()

    queued = [keep_going(world.deps)["queued"] for _ in range(2)]

    assert queued == [1, 0]


def test_without_a_model_and_review_nothing_is_queued(world: World) -> None:
    world.set(Labels="cat,dog", Enable_A2I_Workflow="false")
    world.received()

    assert keep_going(world.deps)["queued"] == 0


def test_a_backlog_starts_a_stopped_model_and_is_queued_when_it_runs(serving: World) -> None:
    serving.rekognition.become("v1", "STOPPED")
    serving.received()

    first = keep_going(serving.deps)
    assert (first["action"], first["queued"]) == ("start", 0)

    serving.rekognition.become("v1", "RUNNING")
    assert keep_going(serving.deps)["queued"] == 1


def test_what_a_round_that_was_cut_off_left_running_is_stopped(serving: World) -> None:
    serving.rekognition.become("v0", "RUNNING")

    keep_going(serving.deps)

    assert [call for call in serving.rekognition.calls if call[0] == "stop"] == [("stop", "arn:v0")]


def test_what_a_round_at_work_runs_is_left_to_it(
    serving: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    serving.rekognition.become("v2", "RUNNING")
    serving.deps.versions.take_lease("arn:execution", over="")
    monkeypatch.setattr(type(serving.deps.executions), "is_running", lambda *_: True)

    keep_going(serving.deps)

    assert not [call for call in serving.rekognition.calls if call[0] == "stop"]


def test_more_than_a_call_takes_are_queued_all_of_them(serving: World) -> None:
    for number in range(12):
        serving.received(f"{number}.png", 0)

    assert keep_going(serving.deps)["queued"] == 12


def test_an_idle_model_is_stopped_after_the_minutes_of_the_setting(serving: World) -> None:
    serving.set(Stop_Model_When_Idle_Minutes="30")
    serving.accepted("1.png")
    assert keep_going(serving.deps)["action"] == "leave"

    serving.deps.now += timedelta(minutes=31)

    assert keep_going(serving.deps)["action"] == "stop"
    assert serving.rekognition.calls == [("stop", "arn:v1")]
    assert "31 minutes" in serving.events("ModelStopped")[0]["text"]


def test_the_first_model_reads_again_what_no_person_has_looked_at(world: World) -> None:
    world.set(Labels="cat,dog", Reviewers_Per_Image="2")
    untouched = world.asked(name="1.png", picture=1)
    answered = world.asked(name="2.png", picture=2)
    world.answered_once(answered)
    world.version("v1", arn="arn:v1")
    promote("v1", "it is good", world.deps)
    world.rekognition.become("v1", "RUNNING")

    queued = keep_going(world.deps)["queued"]

    assert queued == 1
    assert world.deps.reviews.get(untouched).state == WITHDRAWN
    assert world.detection(world.deps.reviews.get(untouched).image).state == WAITING
    assert world.deps.reviews.get(answered).state == OPEN


def test_with_amazon_a2i_the_loop_of_a_withdrawn_review_is_stopped(world: World) -> None:
    world.use(loops=world.loops)
    world.set(Labels="cat,dog")
    review = world.asked()
    world.version("v1", arn="arn:v1")
    promote("v1", "it is good", world.deps)

    keep_going(world.deps)

    assert world.loops.stopped == [review]


def test_reviews_of_an_unsure_model_are_not_withdrawn(serving: World) -> None:
    serving.set(Labels="cat,dog")
    review = serving.asked(Label("cat", 40.0), version="v1")

    keep_going(serving.deps)

    found = serving.deps.reviews.get(review)
    assert (found.state, serving.detection(found.image).state) == (OPEN, REVIEW)


def queued_reviews(world: World) -> None:
    """Given one open review and two that wait for another day: a sure one and an unsure one."""
    world.set(Labels="cat,dog", Maximum_Reviews_Per_Day="1")
    for number, confidence in enumerate((50.0, 60.0, 10.0)):
        image = world.received(f"{number}.png", number)
        answer = Answer("labels", (Label("cat", confidence),), "v1")
        request_review.ask(request_review.Request(image.id, answer, world.settings()), world.deps)


def test_a_new_day_opens_queued_reviews_the_least_sure_first(world: World) -> None:
    queued_reviews(world)
    assert keep_going(world.deps)["opened"] == 0

    world.deps.now += timedelta(days=1)

    assert keep_going(world.deps)["opened"] == 1
    opened = {review.image.name for review in world.deps.reviews.newest(OPEN)}
    assert opened == {"0.png", "2.png"}


def test_a_review_that_is_answered_while_it_waits_does_not_stop_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued_reviews(world)
    world.set(Maximum_Reviews_Per_Day="0")
    stale = list(world.deps.reviews.newest(QUEUED))
    world.deps.reviews.move(replace(stale[0], state=OPEN), stale[0])

    def newest(state: str = "") -> Any:
        return iter(stale if state == QUEUED else ())

    monkeypatch.setattr(world.deps.reviews, "newest", newest)

    assert keep_going(world.deps)["opened"] == 1
