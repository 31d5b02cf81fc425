"""Business rule: what people answer, and what counts beside it."""

import json
import re
from base64 import b64encode
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loupe.domain.certainty import Case
from loupe.domain.choice import Strategy
from loupe.domain.detection import Label, ModelOutput
from loupe.domain.keys import NONE_OF_THE_ABOVE, ImageRef
from loupe.domain.review import (
    Answer,
    Output,
    Review,
    ReviewPurpose,
    ReviewState,
    case_of,
    check_answer,
    check_output,
    in_order,
    loop_input,
    parse_output,
    read_anew,
    render_output,
    review_id,
    scores_of,
    waits_for_newer_version,
)
from loupe.errors import AlreadyDone, InvalidRequest
from tests.domain.reviews import unsure_review

IMAGE = ImageRef("bucket", "images_for_detection/für Änne/a b+1.png", "v1", "e", 10)
REVIEW = unsure_review(IMAGE, labels=("cat", "日本"), reviewers=2, guess=(Label("cat", 40.0),))


def answered(*labels: str) -> tuple[Answer, ...]:
    return tuple(Answer(f"person {n}", label, "2026") for n, label in enumerate(labels))


# What makes a label


def test_people_and_the_model_are_weighed_where_nobody_saw_its_guess() -> None:
    review = replace(REVIEW, answers=answered("cat", "日本"), version="v1")

    assert case_of(review) == Case(
        {"person 0": "cat", "person 1": "日本"}, "model v1", {"cat": 40.0}
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"guess_shown": True},
        {"also_quality": True},
        {"purpose": ReviewPurpose.QUALITY},
        {"purpose": ReviewPurpose.REPORTED},
        {"guess": ()},
    ],
)
def test_the_model_has_no_say_where_people_saw_its_guess_or_measure_it(
    changes: dict[str, Any],
) -> None:
    review = replace(REVIEW, answers=answered("cat"), version="v1", **changes)

    assert case_of(review) == Case({"person 0": "cat"})


def test_a_label_that_occurs_several_times_counts_with_its_surest_box() -> None:
    labels = [Label("cat", 60.0), Label("dog", 50.0), Label("cat", 20.0)]

    assert scores_of(labels) == {"cat": 60.0, "dog": 50.0}


# In which order people are asked


def waiting(name: str, at: str, purpose: ReviewPurpose, *confidences: float) -> Review:
    guess = tuple(map(Label, ("cat", "dog", "emu"), confidences))
    return replace(REVIEW, id=name, at=at, purpose=purpose, guess=guess)


QUEUE = (
    waiting("clear", "1", ReviewPurpose.UNSURE, 60.0, 10.0),
    waiting("close", "2", ReviewPurpose.UNSURE, 30.0, 29.0),
    waiting("near", "3", ReviewPurpose.UNSURE, 40.0, 30.0),
    waiting("sample", "4", ReviewPurpose.QUALITY, 90.0),
    waiting("report", "5", ReviewPurpose.REPORTED, 95.0),
)


@pytest.mark.parametrize(
    ("strategy", "names"),
    [
        (Strategy.ARRIVAL, ["report", "clear", "close", "near", "sample"]),
        (Strategy.MARGIN, ["report", "sample", "close", "near", "clear"]),
    ],
)
def test_reports_come_first_and_others_as_the_strategy_says(
    strategy: Strategy, names: list[str]
) -> None:
    assert [review.id for review in in_order(QUEUE, strategy, 1)] == names
    assert [review.id for review in in_order(QUEUE[::-1], strategy, 1)] == names


def test_with_diversity_the_first_ones_are_of_different_kinds() -> None:
    twins = [waiting(f"twin {n}", f"{n}", ReviewPurpose.UNSURE, 31.0, 30.0) for n in range(8)]
    other = replace(twins[0], id="other", guess=(Label("emu", 32.0), Label("owl", 30.0)))

    first = [review.id for review in in_order([*twins, other], Strategy.MARGIN_DIVERSE, 2)][:2]

    assert "other" in first
    assert "other" not in [r.id for r in in_order([*twins, other], Strategy.MARGIN, 2)][:2]


def test_images_of_one_score_are_told_apart_by_what_they_look_like() -> None:
    def looking(name: str, brightness: int) -> Review:
        thumbnail = b64encode(bytes([brightness]) * 192).decode()
        unsure = waiting(name, name, ReviewPurpose.COLD_START)
        return replace(unsure, thumbnail=thumbnail)

    reviews = [*(looking(f"{n}", 10 + n) for n in range(8)), looking("other", 250)]

    assert "other" in [r.id for r in in_order(reviews, Strategy.MARGIN_DIVERSE, 2)][:2]


def test_a_batch_that_is_chosen_comes_before_what_is_less_sure_and_behind_samples() -> None:
    chosen = replace(QUEUE[0], chosen=True)

    ranked = sorted([*QUEUE[1:], chosen], key=lambda review: review.rank)

    assert [review.id for review in ranked] == ["report", "sample", "clear", "close", "near"]
    assert not chosen.is_candidate


def test_a_newer_version_settles_what_it_would_have_accepted_at_once() -> None:
    sure = ModelOutput("labels", (Label("cat", 70.0),), "v2")
    unsure = ModelOutput("labels", (Label("cat", 69.9), Label("dog", 30.0)), "v2")

    settled, waits = read_anew(REVIEW, sure, 70), read_anew(REVIEW, unsure, 70)

    assert (settled.state, settled.reason) == (ReviewState.SETTLED, "settled by v2")
    assert settled.guess == REVIEW.guess
    assert (waits.state, waits.guess, waits.version) == (REVIEW.state, unsure.labels, "v2")
    assert read_anew(REVIEW, ModelOutput("labels", (), "v2"), 0).state == REVIEW.state


@pytest.mark.parametrize(
    ("changes", "waits"),
    [
        ({}, True),
        ({"version": "v2"}, False),
        ({"answers": answered("cat")}, False),
        ({"also_quality": True}, False),
        ({"purpose": ReviewPurpose.COLD_START}, False),
        ({"purpose": ReviewPurpose.REPORTED}, False),
    ],
)
def test_a_newer_version_reads_what_only_the_older_one_was_unsure_of(
    changes: dict[str, Any], waits: bool
) -> None:
    review = replace(REVIEW, state=ReviewState.QUEUED, version="v1")

    assert waits_for_newer_version(replace(review, **changes), "v2") == waits


# Who may answer what


def test_offered_labels_and_none_of_the_above_may_be_answered() -> None:
    for label in ("cat", "日本", NONE_OF_THE_ABOVE):
        check_answer(REVIEW, "ada", label)
        check_answer(replace(REVIEW, state=ReviewState.QUEUED), "ada", label)


@pytest.mark.parametrize("label", ["dog", "../x", "", "CAT", "none"])
def test_a_label_that_was_not_offered_is_refused_with_those_that_were(label: str) -> None:
    with pytest.raises(InvalidRequest, match="cat, 日本"):
        check_answer(REVIEW, "ada", label)


@pytest.mark.parametrize(
    "state", [ReviewState.CLOSING, ReviewState.DONE, ReviewState.CONFLICT, ReviewState.WITHDRAWN]
)
def test_a_review_that_is_over_takes_no_answer(state: ReviewState) -> None:
    with pytest.raises(AlreadyDone, match="loupe reviews"):
        check_answer(replace(REVIEW, state=state), "ada", "cat")


def test_a_person_answers_a_review_once() -> None:
    answered = replace(REVIEW, answers=(Answer("ada", "cat", "2026"),))

    with pytest.raises(AlreadyDone, match="ada answered"):
        check_answer(answered, "ada", "日本")


def test_a_reviewer_has_a_name() -> None:
    with pytest.raises(InvalidRequest, match="name"):
        check_answer(REVIEW, "  ", "cat")


# The shape of Amazon A2I


def test_the_id_is_a_name_that_amazon_a2i_takes_and_differs_by_purpose() -> None:
    ids = {
        review_id(IMAGE, purpose)
        for purpose in (ReviewPurpose.UNSURE, ReviewPurpose.COLD_START, ReviewPurpose.QUALITY)
    }

    assert len(ids) == 3
    assert all(re.fullmatch("[a-z0-9](-*[a-z0-9])*", name) and len(name) <= 63 for name in ids)


@given(st.lists(st.tuples(st.text(min_size=1), st.text()), min_size=1, max_size=3))
def test_what_is_handed_over_is_read_again(answers: list[tuple[str, str]]) -> None:
    given_ = tuple(Answer(who, label, "2026-01-01T00:00:00.000Z") for who, label in answers)

    output = parse_output(render_output(replace(REVIEW, answers=given_), "loupe:builtin"))

    assert output == Output(REVIEW.id, given_)


def test_what_is_handed_over_has_the_format_of_amazon_a2i() -> None:
    at = "2026-01-01T00:00:00.000Z"
    answered = replace(REVIEW, answers=(Answer("ada", "cat", at),))

    document = json.loads(render_output(answered, "loupe:builtin"))

    identity = {"identityProviderType": "Loupe", "issuer": "loupe:builtin", "sub": "ada"}
    assert document == {
        "flowDefinitionArn": "loupe:builtin",
        "humanAnswers": [
            {
                "acceptanceTime": at,
                "submissionTime": at,
                "timeSpentInSeconds": 0,
                "workerId": "ada",
                "workerMetadata": {"identityData": identity},
                "answerContent": {"label": {"label": "cat"}},
            }
        ],
        "humanLoopName": REVIEW.id,
        "inputContent": {
            "taskObject": REVIEW.image.uri,
            "labels": list(REVIEW.offered),
            "initialValue": "",
            "imageName": REVIEW.image.name,
        },
    }


def test_the_models_guess_is_on_the_page_only_where_it_may_be_seen() -> None:
    assert loop_input(REVIEW)["initialValue"] == ""
    assert loop_input(replace(REVIEW, guess_shown=True))["initialValue"] == "cat"
    assert REVIEW.as_json()["guess"] == []
    assert replace(REVIEW, guess_shown=True).as_json()["guess"][0]["name"] == "cat"


def test_the_page_offers_none_of_the_above_last() -> None:
    assert loop_input(REVIEW)["labels"] == ["cat", "日本", NONE_OF_THE_ABOVE]


def answer(content: Any, **more: Any) -> dict[str, Any]:
    return {"workerId": "w", "submissionTime": "2026", "answerContent": content} | more


def document(*answers: Any, **more: Any) -> str:
    return json.dumps({"humanLoopName": "loop", "humanAnswers": list(answers)} | more)


@pytest.mark.parametrize(
    "content",
    [{"label": {"label": "cat"}}, {"crowd-image-classifier": {"label": "cat"}}, {"x": "cat"}],
)
def test_the_label_is_found_under_whatever_widget_name(content: dict[str, Any]) -> None:
    assert parse_output(document(answer(content))).answers == (Answer("w", "cat", "2026"),)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "null",
        "[]",
        "5",
        '"text"',
        "{}",
        '{"humanLoopName": "loop"}',
        '{"humanAnswers": []}',
        document(),
        document(humanLoopName=5),
        document(humanAnswers=None),
        document(humanAnswers={"a": 1}),
        document("text"),
        document({}),
        document(answer({})),
        document(answer(None)),
        document(answer([])),
        document(answer({"label": None})),
        document(answer({"label": {"label": None}})),
        document(answer({"label": {"label": ["cat"]}})),
        document(answer({"label": {"boxes": []}})),
        document(answer({"label": 5})),
        document(answer({"one": "cat", "other": "dog"})),
        json.dumps({"humanLoopName": "l", "humanAnswers": [{"answerContent": {"a": "cat"}}]}),
        document(answer({"label": "cat"}), humanLoopName=None),
    ],
)
def test_an_output_that_is_no_answer_is_refused_and_not_a_crash(text: str) -> None:
    with pytest.raises(InvalidRequest):
        parse_output(text)


def test_an_answer_outside_the_offered_labels_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=re.escape("'../x'")):
        check_output(REVIEW, Output(REVIEW.id, answered("cat", "../x")))


def test_answers_within_the_offered_labels_are_taken() -> None:
    check_output(REVIEW, Output(REVIEW.id, answered("cat", "日本", NONE_OF_THE_ABOVE)))


def test_an_output_that_is_nested_without_end_is_no_answer() -> None:
    with pytest.raises(InvalidRequest, match="not an answer"):
        parse_output("[" * 100_000 + "]" * 100_000)
