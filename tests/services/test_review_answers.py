"""Business rule: answers of people become training data, scores or conflicts, and never vanish."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from loupe.domain.detection import DetectionState, Label
from loupe.domain.human_loops import STATUS_CHANGE
from loupe.domain.keys import NONE_OF_THE_ABOVE
from loupe.domain.labelled_images import ImageSource
from loupe.domain.review import Answer, ReviewState, claim, render_output
from loupe.errors import AlreadyDone
from loupe.handlers import answer_review, record_review
from loupe.services.human_loops import start_loop, start_loops
from loupe.services.labelled_images import reconcile
from loupe.services.review_answers import decide_conflict, take_in
from loupe.services.review_desk import answer
from loupe.services.reviews import open_queued
from tests.adapters.world import START, World, message, s3_event, sqs_event

GUESS = Label("cat", 40.0)


@pytest.fixture
def review(world: World) -> str:
    """An unsure image in review, with two labels to choose from."""
    world.set(Labels="cat,dog")
    world.version("v1")
    return world.asked(GUESS, version="v1")


def written(world: World, review: str, *labels: str, text: str = "") -> Any:
    """An `output.json`, as Amazon A2I would write it for a review."""
    known = world.deps.reviews.get(review)
    answers = tuple(Answer(f"w{n}", label, "2026") for n, label in enumerate(labels))
    body = text or render_output(replace(known, answers=answers), "arn:flow")
    return world.put(f"a2i-human-loop-data/flow/2026/{review}/output.json", body.encode())


def labelled(world: World) -> list[str]:
    return world.keys("images_labeled_by_folder/")


# Answering in Loupe


def test_the_last_answer_asked_for_hands_all_of_them_over(world: World) -> None:
    world.set(Labels="cat,dog", Reviewers_Per_Image="2")
    review = world.asked(GUESS, version="v1")

    assert answer(review, "ada", "dog", world.deps).state == ReviewState.OPEN
    assert world.keys("a2i-human-loop-data/") == []
    assert answer(review, "bob", "dog", world.deps).state == ReviewState.CLOSING

    output = json.loads(world.deps.objects.read(world.output(review).key))
    assert output["humanLoopName"] == review
    assert [a["workerId"] for a in output["humanAnswers"]] == ["ada", "bob"]


def test_the_same_answer_again_hands_over_again_and_harms_nothing(
    world: World, review: str
) -> None:
    first = answer(review, "ada", "dog", world.deps)
    again = answer(review, "ada", "dog", world.deps)

    assert first == again
    assert len(world.keys("a2i-human-loop-data/")) == 1


def test_a_wrong_answer_is_an_error_for_a_person_to_read(
    world: World, review: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loupe.handlers.answer_review.deps", lambda: world.deps)

    refused = answer_review.handler({"review": review, "worker": "ada", "label": "../x"}, None)
    missing = answer_review.handler({"review": "no", "worker": "ada", "label": "cat"}, None)
    taken = answer_review.handler({"review": review, "worker": "ada", "label": "cat"}, None)

    assert "not one of the labels" in refused["error"]
    assert "no review" in missing["error"]
    assert taken == {"state": ReviewState.CLOSING}


# Training data


def test_an_answer_becomes_the_images_and_a_labelled_image(world: World, review: str) -> None:
    world.taken_in(world.answered(review, "dog"))

    (key,) = labelled(world)
    image = world.deps.reviews.get(review).image
    detection = world.detection(image)
    assert key.startswith("images_labeled_by_folder/dog/a b+ü.")
    assert world.deps.reviews.get(review).state == ReviewState.DONE
    assert detection.state == DetectionState.ANSWERED
    assert [(label.name, label.by) for label in detection.labels] == [
        ("dog", "person"),
        ("cat", "model"),
    ]
    assert world.events("ImageAnswered")[0]["subject"] == "a b+ü.png: dog"


@pytest.mark.parametrize(
    ("version", "reviewers", "source", "testable"),
    [
        ("v1", 1, ImageSource.REVIEWED, False),
        ("v1", 2, ImageSource.REVIEWED, True),
        ("", 1, ImageSource.COLD_START, True),
    ],
)
def test_the_copy_says_who_labelled_it_and_is_registered_so(
    world: World, version: str, reviewers: int, source: str, testable: bool
) -> None:
    world.set(Labels="cat,dog", Reviewers_Per_Image=str(reviewers))
    review = world.asked(GUESS, version=version)
    world.taken_in(world.answered(review, *["dog"] * reviewers))
    (key,) = labelled(world)

    reconcile(key, world.deps)

    example = world.deps.dataset.labelled_image(key)
    assert example is not None
    assert (example.source, example.reviewers) == (source, reviewers)
    assert world.deps.dataset.group(example.group).testable is testable


def test_an_image_deleted_before_its_review_is_done_still_becomes_training_data(
    world: World, review: str
) -> None:
    world.remove("images_for_detection/a b+ü.png")

    world.taken_in(world.answered(review, "dog"))

    (key,) = labelled(world)
    reconcile(key, world.deps)
    example = world.deps.dataset.labelled_image(key)
    assert example is not None
    assert example.status == "registered"


def test_an_image_whose_very_version_is_gone_is_answered_all_the_same(
    world: World, review: str
) -> None:
    image = world.deps.reviews.get(review).image
    world.s3.delete_object(Bucket=image.bucket, Key=image.key, VersionId=image.version)

    world.taken_in(world.answered(review, "dog"))

    assert labelled(world) == []
    assert world.detection(image).state == DetectionState.ANSWERED
    assert "was deleted" in world.detection(image).reason


def test_none_of_the_above_is_an_answer_and_not_a_label(world: World, review: str) -> None:
    world.taken_in(world.answered(review, NONE_OF_THE_ABOVE))

    detection = world.detection(world.deps.reviews.get(review).image)
    assert labelled(world) == []
    assert detection.state == DetectionState.ANSWERED
    assert detection.none_of_the_above
    assert [(label.name, label.by) for label in detection.labels] == [
        (NONE_OF_THE_ABOVE, "person"),
        (GUESS.name, "model"),
    ]


def test_ten_answers_none_of_the_above_suggest_a_label_once(world: World) -> None:
    world.set(Labels="cat,dog")
    for number in range(11):
        review = world.asked(GUESS, name=f"{number}.png", version="v1", picture=number)
        world.taken_in(world.answered(review, NONE_OF_THE_ABOVE))

    (told,) = world.events("LabelSuggested")
    assert "10 times" in told["text"]


def test_the_same_output_twice_is_taken_in_once(world: World, review: str) -> None:
    output = world.answered(review, NONE_OF_THE_ABOVE)

    world.taken_in(output)
    world.taken_in(output)

    assert len(world.events("ImageAnswered")) == 1
    assert world.deps.reviews.count_none_of_the_above() == 2


# Several reviewers


@pytest.mark.parametrize(
    ("answers", "label"),
    [(["dog", "dog"], "dog"), (["dog", "cat", "dog"], "dog")],
)
def test_a_majority_makes_the_label(world: World, answers: Sequence[str], label: str) -> None:
    world.set(Labels="cat,dog", Reviewers_Per_Image=str(len(answers)))
    review = world.asked(GUESS, version="v1")

    world.taken_in(world.answered(review, *answers))

    assert [key.split("/")[1] for key in labelled(world)] == [label]


def test_reviewers_who_disagree_are_a_conflict_for_the_operator(world: World) -> None:
    world.set(Labels="cat,dog", Reviewers_Per_Image="2")
    review = world.asked()

    world.taken_in(world.answered(review, "cat", "dog"))

    assert labelled(world) == []
    assert world.deps.reviews.get(review).state == ReviewState.CONFLICT
    assert "cat, dog" in world.events("ReviewConflict")[0]["text"]


# Outputs that cannot be used


@pytest.mark.parametrize(
    "text",
    ["garbage", "{}", '{"humanLoopName": "x", "humanAnswers": []}', "\ufeff", "[]"],
)
def test_an_output_that_is_no_answer_is_told_of_and_stays(
    world: World, review: str, text: str
) -> None:
    output = written(world, review, text=text)

    world.taken_in(output)

    (told,) = world.events("ReviewUnusable")
    assert output.key in told["text"]
    assert world.deps.reviews.get(review).state == ReviewState.OPEN
    assert world.deps.objects.read(output.key)


def test_an_output_that_is_no_text_is_told_of(world: World) -> None:
    output = world.put("a2i-human-loop-data/x/output.json", b"\xff\xfe\x00")

    world.taken_in(output)

    assert len(world.events("ReviewUnusable")) == 1


def test_an_answer_that_was_not_offered_makes_no_folder_and_opens_the_review_again(
    world: World, review: str
) -> None:
    world.taken_in(written(world, review, "../x"))

    assert labelled(world) == []
    assert world.deps.reviews.get(review).state == ReviewState.OPEN
    assert "'../x'" in world.events("ReviewUnusable")[0]["text"]


def test_the_review_can_be_answered_after_an_output_that_could_not_be_used(
    world: World, review: str
) -> None:
    world.taken_in(written(world, review, "../x"))

    world.taken_in(written(world, review, "dog"))

    assert world.deps.reviews.get(review).state == ReviewState.DONE
    assert len(labelled(world)) == 1


def test_an_answer_to_a_loop_that_nobody_knows_is_told_of(world: World, review: str) -> None:
    text = json.dumps(
        {
            "humanLoopName": "stranger",
            "humanAnswers": [
                {"workerId": "w", "submissionTime": "2026", "answerContent": {"x": "cat"}}
            ],
        }
    )

    world.taken_in(written(world, review, text=text))

    assert "stranger" in world.events("ReviewUnusable")[0]["text"]


def test_an_output_that_was_removed_again_is_told_of(world: World, review: str) -> None:
    output = written(world, review, "dog")
    world.s3.delete_object(Bucket=output.bucket, Key=output.key, VersionId=output.version)

    world.taken_in(output)

    assert len(world.events("ReviewUnusable")) == 1


def test_other_objects_beside_the_answers_are_passed_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loupe.handlers.record_review.deps", lambda: world.deps)
    other = world.put("a2i-human-loop-data/flow/worker-response.json", b"{}")

    take_in(message(s3_event(other)), world.deps)

    assert world.events() == []


def test_a_batch_takes_in_every_answer_that_it_can(
    world: World, review: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loupe.handlers.record_review.deps", lambda: world.deps)
    output = written(world, review, "dog")

    failed = record_review.handler(sqs_event("garbage", s3_event(output), s3_event(output)), None)

    assert failed == {"batchItemFailures": [{"itemIdentifier": "0"}]}
    assert world.deps.reviews.get(review).state == ReviewState.DONE


def test_an_answer_after_the_review_is_over_changes_nothing(world: World, review: str) -> None:
    world.taken_in(world.answered(review, "dog"))

    world.taken_in(written(world, review, "cat"))

    assert [key.split("/")[1] for key in labelled(world)] == ["dog"]
    with pytest.raises(AlreadyDone):
        answer(review, "late", "cat", world.deps)


def test_an_image_in_review_waits_in_that_state_for_its_answer(world: World, review: str) -> None:
    assert world.detection(world.deps.reviews.get(review).image).state == DetectionState.REVIEW


# Loops of Amazon A2I that end without answers


@pytest.fixture
def loop(world: World) -> str:
    """An unsure image that Amazon A2I asks people about."""
    world.use(loops=world.loops)
    world.set(Labels="cat,dog")
    world.version("v1")
    return world.asked(GUESS, version="v1")


def ended(name: str, status: str) -> str:
    """The event of a loop's end."""
    detail = {"humanLoopName": name, "humanLoopStatus": status, "failureReason": None}
    return json.dumps({"source": "aws.sagemaker", "detail-type": STATUS_CHANGE, "detail": detail})


def follow(world: World, monkeypatch: pytest.MonkeyPatch, *events: str) -> None:
    monkeypatch.setattr("loupe.handlers.record_review.deps", lambda: world.deps)
    assert record_review.handler(sqs_event(*events), None) == {"batchItemFailures": []}


def test_a_loop_that_failed_is_followed_by_another(
    world: World, loop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow(world, monkeypatch, ended(loop, "Failed"), ended(loop, "Failed"))

    assert world.loops.started == [loop, f"{loop}-2"]
    assert world.deps.reviews.get(loop).state == ReviewState.OPEN
    assert "asked again" in world.events("ReviewFailed")[0]["text"]


def test_after_three_loops_that_failed_the_operator_decides(
    world: World, loop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (loop, f"{loop}-2", f"{loop}-3"):
        follow(world, monkeypatch, ended(name, "Failed"))

    assert world.deps.reviews.get(loop).state == ReviewState.CONFLICT
    assert f"loupe reviews decide {loop}" in world.events("ReviewFailed")[-1]["text"]

    decide_conflict(loop, "dog", "ann", world.deps)
    assert len(labelled(world)) == 1


def test_a_loop_that_somebody_stopped_is_for_the_operator(
    world: World, loop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow(world, monkeypatch, ended(loop, "Stopped"))

    assert world.deps.reviews.get(loop).state == ReviewState.CONFLICT


def test_the_end_of_a_loop_that_is_known_or_foreign_changes_nothing(
    world: World, loop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.taken_in(written(world, loop, "dog"))

    follow(
        world, monkeypatch, ended(loop, "Completed"), ended(loop, "Failed"), ended("x", "Failed")
    )

    assert world.deps.reviews.get(loop).state == ReviewState.DONE
    assert world.events("ReviewFailed") == []


def test_an_answer_to_a_second_loop_counts(
    world: World, loop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow(world, monkeypatch, ended(loop, "Failed"))
    text = render_output(world.deps.reviews.get(loop), "arn:flow").replace(
        f'"humanLoopName": "{loop}"', f'"humanLoopName": "{loop}-2"'
    )
    answers = [{"workerId": "w", "submissionTime": "2026", "answerContent": {"label": "dog"}}]
    body = json.dumps(json.loads(text) | {"humanAnswers": answers})
    world.taken_in(world.put(f"a2i-human-loop-data/f/{loop}-2/output.json", body.encode()))

    assert world.deps.reviews.get(loop).state == ReviewState.DONE


def test_a_loop_whose_answers_cannot_be_used_is_followed_by_another(
    world: World, loop: str
) -> None:
    world.loops.ended.add(loop)

    world.taken_in(written(world, loop, "../x"))

    assert world.loops.started == [loop, f"{loop}-2"]
    assert labelled(world) == []


def test_an_unusable_output_beside_a_loop_that_is_open_leaves_it_alone(
    world: World, loop: str
) -> None:
    world.taken_in(written(world, loop, text="{"))

    assert world.loops.started == [loop]
    assert len(world.events("ReviewUnusable")) == 1


def test_a_loop_that_cannot_be_started_now_is_started_by_the_housekeeping(world: World) -> None:
    world.use(loops=world.loops)
    world.set(Labels="cat,dog", Maximum_Reviews_Per_Day="1")
    world.loops.refuses = True
    first, queued = world.asked(name="1.png"), world.asked(name="2.png", picture=1)
    assert open_queued(world.settings(), world.deps) == 1
    assert world.loops.started == []

    world.loops.refuses = False
    start_loops(world.deps)

    assert world.loops.started == [first]
    assert world.deps.reviews.get(queued).loop == ""


def test_a_loop_whose_review_is_over_when_it_starts_is_stopped(world: World, loop: str) -> None:
    world.loops.refuses = True
    other = world.asked(GUESS, version="v1", name="other.png", picture=1)
    stale = world.deps.reviews.get(other)
    world.deps.reviews.move(replace(stale, state=ReviewState.DONE), stale)
    world.loops.refuses = False

    start_loop(stale, world.deps)

    assert world.loops.stopped == [other]


def test_a_loop_that_two_start_at_once_is_one(world: World, loop: str) -> None:
    before = replace(world.deps.reviews.get(loop), loop="", loops_started=0)

    start_loop(before, world.deps)

    assert world.loops.stopped == []
    assert world.deps.reviews.get(loop).loops_started == 1


def test_after_the_switch_back_loupe_itself_asks(world: World, loop: str) -> None:
    assert claim(world.deps.reviews.get(loop), "ann", START) is None
    world.use(loops=None)

    start_loops(world.deps)

    assert claim(world.deps.reviews.get(loop), "ann", START)


def test_a_loop_that_the_switch_back_stopped_makes_no_conflict(
    world: World, loop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.use(loops=None)

    follow(world, monkeypatch, ended(loop, "Stopped"))

    assert world.deps.reviews.get(loop).state == ReviewState.OPEN
