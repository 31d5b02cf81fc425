"""Business rule: a loop that ends without an answer is followed by another, or by the operator."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loupe.domain.human_loops import (
    MOST_LOOPS,
    EndedLoop,
    after_loop,
    ended_loop,
    loop_name,
    review_of,
)
from loupe.domain.keys import ImageRef
from loupe.domain.review import Review, ReviewPurpose, ReviewState, review_id

IMAGE = ImageRef("bucket", "images_for_detection/a.png", "v", "e", 1)
REVIEW = Review(
    id=review_id(IMAGE, ReviewPurpose.UNSURE),
    image=IMAGE,
    purpose=ReviewPurpose.UNSURE,
    state=ReviewState.OPEN,
    at="2026-01-01T00:00:00.000Z",
    labels=("cat", "dog"),
    reviewers=1,
    loop=review_id(IMAGE, ReviewPurpose.UNSURE),
    loops_started=1,
)


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
