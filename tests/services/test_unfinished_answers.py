"""Business rule: answers that nothing came of are taken up again, wherever it broke off."""

import json
from datetime import timedelta
from typing import Any

import pytest

from loupe.domain.detection import Label
from loupe.domain.human_loops import LoopState
from loupe.domain.review import ReviewState
from loupe.handlers import record_review
from loupe.services.human_loops import follow_loops
from loupe.services.review_desk import hand_over_again
from tests.adapters.world import World, sqs_event


@pytest.fixture
def review(world: World) -> str:
    world.set(Labels="cat,dog")
    return world.asked()


def crashes(*_: Any) -> None:
    """What runs when the function dies after its answer was written down."""
    raise KeyboardInterrupt


def test_answers_whose_output_was_never_written_are_taken_up(
    world: World, review: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loupe.services.review_desk.hand_over", crashes)
    with pytest.raises(KeyboardInterrupt):
        world.answered(review, "cat")
    monkeypatch.undo()
    assert world.deps.reviews.get(review).state == ReviewState.CLOSING
    assert hand_over_again(world.deps) == 0

    world.deps.now += timedelta(minutes=6)

    assert hand_over_again(world.deps) == 1
    world.taken_in(world.output(review))
    assert world.deps.reviews.get(review).state == ReviewState.DONE


def test_answers_whose_output_was_never_taken_in_are_written_again_once_an_hour(
    world: World, review: str
) -> None:
    first = world.answered(review, "cat")
    again = []
    for _ in range(13):
        world.deps.now += timedelta(minutes=10)
        again.append(hand_over_again(world.deps))

    assert again == [1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1]
    assert world.output(review).key == first.key

    for output in (first, world.output(review)):
        world.taken_in(output)
    assert world.deps.reviews.get(review).state == ReviewState.DONE
    assert len(world.keys("images_labeled_by_folder/")) == 1


# Loops of Amazon A2I


@pytest.fixture
def loop(world: World) -> str:
    """An unsure image that Amazon A2I asks people about, for a while already."""
    world.use(loops=world.loops)
    world.set(Labels="cat,dog")
    world.version("v1")
    name = world.asked(Label("cat", 40.0), version="v1")
    world.deps.now += timedelta(minutes=10)
    return name


def taken_in(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """RecordReview on what is in its queue."""
    monkeypatch.setattr("loupe.handlers.record_review.deps", lambda: world.deps)
    messages = world.queued("REVIEW_QUEUE")
    assert record_review.handler(sqs_event(*messages), None) == {"batchItemFailures": []}


def answers_of(world: World, loop: str, label: str) -> str:
    """The output of a loop, as Amazon A2I writes it; returns its S3 URI."""
    answers = [{"workerId": "w", "submissionTime": "2026", "answerContent": {"label": label}}]
    body = json.dumps({"humanLoopName": loop, "humanAnswers": answers, "inputContent": {}})
    return world.put(f"a2i-human-loop-data/f/2026/{loop}/output.json", body.encode()).uri


def test_a_completed_loop_whose_output_was_lost_is_taken_in(
    world: World, loop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.loops.states[loop] = LoopState("Completed", answers_of(world, loop, "dog"))

    assert [follow_loops(world.deps) for _ in range(2)] == [1, 0]

    taken_in(world, monkeypatch)
    assert world.deps.reviews.get(loop).state == ReviewState.DONE


def test_a_loop_that_failed_unheard_is_followed_by_another(
    world: World, loop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.loops.states[loop] = LoopState("Failed", reason="it expired")

    assert follow_loops(world.deps) == 1

    taken_in(world, monkeypatch)
    assert world.loops.started == [loop, f"{loop}-2"]
    assert "it expired" in world.events("ReviewFailed")[0]["text"]


def test_a_loop_that_is_open_is_left_alone(world: World, loop: str) -> None:
    assert follow_loops(world.deps) == 0

    assert world.deps.reviews.get(loop).state == ReviewState.OPEN
    assert world.queued("REVIEW_QUEUE") == []


def test_loops_are_looked_at_a_few_each_time_and_all_by_turns(
    world: World, loop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loupe.services.human_loops.LOOPS_PER_RUN", 1)
    other = world.asked(Label("cat", 40.0), name="2.png", version="v1", picture=1)
    world.deps.now += timedelta(minutes=10)

    for _ in range(4):
        follow_loops(world.deps)

    assert world.loops.looked_at == [loop, other, loop]
