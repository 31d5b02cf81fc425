"""Business rule: a review says why people are asked, and hides what would bias them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from loupe.domain.detection import Detection, DetectionState, Label, LabelledBy, ModelOutput
from loupe.domain.keys import NONE_OF_THE_ABOVE, ImageRef
from loupe.domain.labelled_images import Group, GroupMember, Split
from loupe.domain.review import (
    FIRST_HAND_OVER,
    NEXT_HAND_OVER,
    Answer,
    Review,
    ReviewPurpose,
    ReviewState,
    add_answer,
    group_in_conflict,
    is_due_again,
    label_conflict,
    new_review,
    quality_review,
    repeats_answer,
)
from loupe.domain.settings import Settings
from loupe.errors import AlreadyDone, InvalidRequest

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
IMAGE = ImageRef("bucket", "images_for_detection/a b.png", "1", "e", 10)
WAITING = Detection(IMAGE, DetectionState.WAITING, "2026-01-01T11:00:00.000Z")
SETTINGS = Settings.from_parameters(
    {"Reviewers-Per-Image": "2", "Minimum-Label-Detection-Confidence": "70"}
)
UNSURE = ModelOutput("labels", (Label("cat", 40.0),), "v1")


def opened(output: ModelOutput = UNSURE, settings: Settings = SETTINGS) -> Review:
    return new_review(WAITING, output, ("cat", "dog"), settings, NOW)


def test_an_unsure_answer_is_reviewed_with_the_models_reason() -> None:
    assert opened() == Review(
        id=f"unsure-{IMAGE.id}",
        image=IMAGE,
        purpose=ReviewPurpose.UNSURE,
        state=ReviewState.OPEN,
        at="2026-01-01T12:00:00.000Z",
        labels=("cat", "dog"),
        reviewers=2,
        minimum_certainty=0.9,
        guess=UNSURE.labels,
        guess_shown=False,
        version="v1",
        reason="the surest label is cat with 40 %, below the minimum of 70 %",
    )


def test_without_a_model_a_review_makes_the_first_dataset() -> None:
    review = opened(ModelOutput("no_model", reason="there is no model yet"))

    assert (review.purpose, review.id) == (ReviewPurpose.COLD_START, f"cold-start-{IMAGE.id}")
    assert (review.reason, review.guess, review.version) == ("there is no model yet", (), "")


def test_with_a_daily_maximum_a_review_is_queued_to_be_chosen_from() -> None:
    assert opened(settings=replace(SETTINGS, reviews_per_day=9)).state == ReviewState.QUEUED


def test_a_review_knows_what_its_image_looks_like() -> None:
    assert opened(replace(UNSURE, thumbnail="AAEC")).thumbnail == "AAEC"


def test_a_quality_sample_keeps_what_the_model_said_and_not_what_a_person_did() -> None:
    labels = (Label("dog", 100.0, LabelledBy.PERSON), Label("cat", 90.0))
    detection = replace(WAITING, state=DetectionState.ANSWERED, labels=labels, version="v1")

    review = quality_review(detection, ("cat", "dog"), replace(SETTINGS, reviewers=3), NOW)

    assert review == Review(
        id=f"quality-{IMAGE.id}",
        image=IMAGE,
        purpose=ReviewPurpose.QUALITY,
        state=ReviewState.OPEN,
        at="2026-01-01T12:00:00.000Z",
        labels=("cat", "dog"),
        reviewers=3,
        minimum_certainty=0.9,
        guess=labels[1:],
        version="v1",
        reason="a sample to measure quality",
    )


def test_a_picture_with_two_labels_is_a_conflict_that_shows_its_newest_object() -> None:
    keys = [f"images_labeled_by_folder/{name}" for name in ("dog/1.png", "cat/2.png")]
    members = tuple(
        GroupMember(key, key.split("/")[1], f"version {n}", "c") for n, key in enumerate(keys)
    )

    review = label_conflict(Group("g", Split.TRAIN, True, members), "bucket", "2026")

    assert (review.purpose, review.state) == (ReviewPurpose.TWO_LABELS, ReviewState.CONFLICT)
    assert review.image == ImageRef("bucket", keys[1], "version 1", "", 0)
    assert (review.labels, review.at, review.reviewers) == (("cat", "dog"), "2026", 0)
    assert "labelled dog (dog/1.png) and cat (cat/2.png)" in review.reason
    assert group_in_conflict(review) == "g"


def test_a_review_is_listed_without_the_guess_that_its_reason_would_give_away() -> None:
    answered = add_answer(opened(), Answer("ada", "cat", "2026"))

    assert answered.as_json() == {
        "id": f"unsure-{IMAGE.id}",
        "image": "a b.png",
        "purpose": "unsure",
        "state": "open",
        "at": "2026-01-01T12:00:00.000Z",
        "labels": ["cat", "dog"],
        "wanted": 2,
        "answers": [{"worker": "ada", "label": "cat", "at": "2026"}],
        "guess": [],
        "reason": "the model was unsure",
    }
    shown = replace(answered, guess_shown=True)
    assert shown.as_json()["reason"].startswith("the surest label is cat")


@pytest.mark.parametrize(
    "seen", [{"claims": {"ada": "2026"}}, {"skipped": ("ada",)}, {"loop": "a loop"}]
)
def test_a_guess_that_was_on_somebodys_page_was_seen(seen: dict[str, object]) -> None:
    shown = replace(opened(), guess_shown=True)

    assert not shown.guess_was_seen
    assert replace(shown, **seen).guess_was_seen  # type: ignore[arg-type]
    assert not replace(shown, guess=(), **seen).guess_was_seen  # type: ignore[arg-type]
    assert not replace(opened(), **seen).guess_was_seen  # type: ignore[arg-type]


# Answers


def test_the_last_answer_closes_a_review_and_frees_its_claim() -> None:
    claimed = replace(opened(), claims={"ada": "2026", "bob": "2026"})

    one = add_answer(claimed, Answer("ada", "cat", "1"))
    both = add_answer(one, Answer("bob", "dog", "2"))

    assert (one.state, list(one.claims)) == (ReviewState.OPEN, ["bob"])
    assert both.state == ReviewState.CLOSING
    assert [answer.label for answer in both.answers] == ["cat", "dog"]
    assert both.skipped == ()


def test_only_the_same_answer_to_a_review_that_closes_is_a_repetition() -> None:
    one = add_answer(opened(), Answer("ada", "cat", "1"))
    both = add_answer(one, Answer("bob", "dog", "2"))

    assert repeats_answer(both, "ada", "cat")
    assert not repeats_answer(both, "ada", "dog")
    assert not repeats_answer(both, "cleo", "cat")
    assert not repeats_answer(one, "ada", "cat")


def test_a_refused_answer_says_what_to_do() -> None:
    done = replace(opened(), state=ReviewState.DONE)

    with pytest.raises(AlreadyDone, match=r"is done; 'loupe reviews' lists the open ones\.$"):
        add_answer(done, Answer("ada", "cat", "1"))
    with pytest.raises(
        InvalidRequest, match=f"'emu' is not one of the labels.*{NONE_OF_THE_ABOVE}"
    ):
        add_answer(opened(), Answer("ada", "emu", "1"))
    with pytest.raises(InvalidRequest, match=r"A reviewer needs a name: --reviewer NAME\.$"):
        add_answer(opened(), Answer(" ", "cat", "1"))


# Handing over again


def test_answers_without_a_result_are_handed_over_after_minutes_and_then_every_hour() -> None:
    review, moment = opened(), timedelta(seconds=1)
    again = replace(review, handed_over=NOW.isoformat())

    assert not is_due_again(review, NOW, NOW + FIRST_HAND_OVER - moment)
    assert is_due_again(review, NOW, NOW + FIRST_HAND_OVER)
    assert not is_due_again(again, NOW - timedelta(days=1), NOW + NEXT_HAND_OVER - moment)
    assert is_due_again(again, NOW, NOW + NEXT_HAND_OVER)
