"""Business rule: no more people work on a task at a time than it still needs answers."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from loupe.domain.keys import ImageRef
from loupe.domain.review import (
    CLAIM_MINUTES,
    Answer,
    Review,
    ReviewState,
    claim,
    release,
)
from tests.domain.reviews import unsure_review

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=CLAIM_MINUTES, seconds=1)
IMAGE = ImageRef("bucket", "images_for_detection/a.png", "1", "e", 10)


def review(reviewers: int = 1) -> Review:
    return unsure_review(IMAGE, reviewers=reviewers)


def taken(task: Review, worker: str, now: datetime = NOW) -> Review:
    found = claim(task, worker, now)
    assert found is not None
    return found


def test_a_task_on_somebodys_page_is_kept_from_others() -> None:
    assert claim(taken(review(), "ann"), "bob", NOW) is None


def test_it_stays_mine_and_my_time_is_renewed() -> None:
    again = taken(taken(review(), "ann"), "ann", NOW + timedelta(minutes=5))

    assert again.claims["ann"] > taken(review(), "ann").claims["ann"]


def test_a_task_left_open_goes_back_after_a_time() -> None:
    assert list(taken(taken(review(), "ann"), "bob", LATER).claims) == ["bob"]


def test_one_person_at_a_time_gets_a_task_because_their_answer_may_be_enough() -> None:
    task = taken(review(reviewers=2), "ann")

    assert claim(task, "bob", NOW) is None
    assert claim(release(task, "ann", skip=False), "bob", NOW) is not None


def test_who_has_answered_does_not_get_it_again() -> None:
    answered = replace(review(reviewers=2), answers=(Answer("ann", "cat", "t"),))

    assert claim(answered, "ann", NOW) is None
    assert claim(taken(answered, "bob"), "cleo", NOW) is None


def test_a_skipped_task_is_for_others() -> None:
    skipped = release(taken(review(), "ann"), "ann", skip=True)

    assert claim(skipped, "ann", NOW) is None
    assert claim(skipped, "bob", NOW) is not None


def test_a_task_given_back_is_for_everybody() -> None:
    back = release(taken(review(), "ann"), "ann", skip=False)

    assert claim(back, "ann", NOW) == claim(review(), "ann", NOW)


def test_what_is_not_open_is_not_given_out() -> None:
    assert claim(replace(review(), state=ReviewState.DONE), "ann", NOW) is None


@given(st.integers(1, 3), st.lists(st.sampled_from("abcdef"), max_size=12))
def test_never_more_at_a_time_than_answers_are_wanted(reviewers: int, workers: list[str]) -> None:
    task = review(reviewers)
    for worker in workers:
        task = claim(task, worker, NOW) or task

    assert len(task.claims) <= reviewers
