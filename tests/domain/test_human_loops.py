"""Business rule: a loop that ends without an answer is followed by another, or by the operator."""

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loupe.domain.human_loops import (
    MOST_LOOPS,
    STATUS_CHANGE,
    EndedLoop,
    LoopState,
    after_loop,
    ended_loop,
    loop_name,
    review_of,
)
from loupe.domain.keys import ImageRef
from loupe.domain.object_events import changed_object
from loupe.domain.review import Review, ReviewPurpose, ReviewState, review_id
from tests.domain.reviews import unsure_review

IMAGE = ImageRef("bucket", "images_for_detection/a.png", "v", "e", 1)
REVIEW = unsure_review(IMAGE, loop=review_id(IMAGE, ReviewPurpose.UNSURE), loops_started=1)


@given(st.integers(0, 5))
def test_every_loop_of_a_review_has_its_own_name_that_leads_back(loops_started: int) -> None:
    name = loop_name(replace(REVIEW, loops_started=loops_started))

    assert re.fullmatch(r"[a-z0-9](-*[a-z0-9])*", name)
    assert len(name) <= 63
    assert review_of(name) == REVIEW.id
    assert (name == REVIEW.id) == (loops_started == 0)


@pytest.mark.parametrize(
    ("status", "loops_started", "state"),
    [
        ("Failed", 1, ReviewState.OPEN),
        ("Failed", MOST_LOOPS, ReviewState.CONFLICT),
        ("Stopped", 1, ReviewState.CONFLICT),
    ],
)
def test_what_follows_a_loop(status: str, loops_started: int, state: str) -> None:
    after = after_loop(
        replace(REVIEW, loops_started=loops_started), EndedLoop(REVIEW.loop, status, "why")
    )

    assert after is not None
    assert (after.state, after.loop) == (state, "")


@pytest.mark.parametrize(
    ("review", "ended"),
    [
        (REVIEW, EndedLoop(REVIEW.loop, "Completed", "")),
        (REVIEW, EndedLoop("an earlier one", "Failed", "")),
        (replace(REVIEW, state=ReviewState.DONE), EndedLoop(REVIEW.loop, "Stopped", "")),
    ],
)
def test_what_changes_nothing(review: Review, ended: EndedLoop) -> None:
    assert after_loop(review, ended) is None


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"detail-type": "x"}', '{"detail-type": 1}'])
def test_other_messages_are_no_end_of_a_loop(body: str) -> None:
    assert ended_loop(body) is None


def ended(**detail: str | None) -> str:
    event = {"humanLoopName": "a loop", "humanLoopStatus": "Failed", **detail}
    return json.dumps({"detail-type": STATUS_CHANGE, "detail": event})


@pytest.mark.parametrize(
    ("detail", "reason"),
    [
        ({"failureReason": "nobody came", "failureCode": "Expired"}, "nobody came"),
        ({"failureReason": None, "failureCode": "Expired"}, "Expired"),
        ({}, "failed"),
    ],
)
def test_the_end_of_a_loop_has_the_best_reason_that_there_is(
    detail: dict[str, str | None], reason: str
) -> None:
    assert ended_loop(ended(**detail)) == EndedLoop("a loop", "Failed", reason)


def test_a_loop_that_ended_unheard_makes_the_event_that_was_lost() -> None:
    completed = LoopState("Completed", "s3://bucket/a b/output.json").message("a loop")
    failed = LoopState("Failed", reason="nobody came").message("a loop")
    stopped = LoopState("Stopped").message("a loop")

    document = changed_object(json.dumps(completed))
    assert document is not None
    assert (document.bucket, document.key) == ("bucket", "a b/output.json")
    assert ended_loop(json.dumps(failed)) == EndedLoop("a loop", "Failed", "nobody came")
    assert ended_loop(json.dumps(stopped)) == EndedLoop("a loop", "Stopped", "stopped")


@pytest.mark.parametrize("state", [LoopState("InProgress"), LoopState("Completed", output="")])
def test_a_loop_without_an_end_or_an_output_makes_no_event(state: LoopState) -> None:
    assert state.message("a loop") is None
