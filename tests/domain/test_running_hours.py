"""Business rule: a version's running hours are what the service said, look by look."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loupe.domain.model_state import UP, ModelStatus
from loupe.domain.running_hours import (
    DOLLARS_PER_UNIT_HOUR,
    Look,
    bill_text,
    cost,
    next_look,
    unit_seconds,
)

START = datetime(2026, 1, 31, 23, 59, tzinfo=UTC)
STATUSES = (
    ModelStatus.STARTING,
    ModelStatus.RUNNING,
    "STOPPING",
    "STOPPED",
    "FAILED",
    "TRAINING_COMPLETED",
)

statuses = st.sampled_from(STATUSES)
pauses = st.integers(0, 3 * 86400)


def follow(looks: list[tuple[int, str]], units: int = 1) -> tuple[float, Look | None]:
    """All that `looks`, each so many seconds after the one before, come to."""
    total, kept, at = 0.0, None, START
    for pause, status in looks:
        at += timedelta(seconds=pause)
        now = next_look(kept, at, status, units)
        if now:
            total += sum(unit_seconds(kept, now).values())
            kept = now
    return total, kept


def test_time_between_two_looks_at_which_it_ran_counts_for_each_unit() -> None:
    before = Look(START, ModelStatus.RUNNING, 2, START)

    assert unit_seconds(before, Look(START + timedelta(seconds=90), ModelStatus.RUNNING, 2)) == {
        "2026-01-31": 120.0,
        "2026-02-01": 60.0,
    }


@pytest.mark.parametrize("before", [None, "STOPPED", "FAILED", "STOPPING"])
def test_a_version_that_was_not_seen_to_run_or_start_before_counts_nothing(
    before: str | None,
) -> None:
    look = None if before is None else Look(START, before, 1)

    assert unit_seconds(look, Look(START + timedelta(hours=1), ModelStatus.RUNNING, 1)) == {}


@pytest.mark.parametrize("status", [s for s in STATUSES if s != ModelStatus.RUNNING])
def test_a_version_that_does_not_run_now_counts_nothing(status: str) -> None:
    before = Look(START, ModelStatus.RUNNING, 1, START)

    assert unit_seconds(before, Look(START + timedelta(hours=1), status, 1)) == {}


def test_minutes_that_nobody_looked_in_count_when_it_runs_still() -> None:
    assert (
        follow(
            [(0, ModelStatus.STARTING), (60, ModelStatus.RUNNING), (3 * 3600, ModelStatus.RUNNING)]
        )[0]
        == 60 + 3 * 3600
    )


def test_a_run_that_was_seen_to_its_end_counts_to_within_a_look() -> None:
    counted, _ = follow(
        [
            (0, ModelStatus.STARTING),
            (60, ModelStatus.STARTING),
            (60, ModelStatus.RUNNING),
            (60, ModelStatus.RUNNING),
            (0, "STOPPING"),
        ]
    )

    assert counted == 120


@given(st.lists(st.tuples(pauses, statuses), max_size=20), st.integers(1, 5))
def test_it_never_counts_more_than_has_passed(looks: list[tuple[int, str]], units: int) -> None:
    counted, _ = follow(looks, units)

    assert 0 <= counted <= units * sum(pause for pause, _ in looks)


@given(pauses, pauses)
def test_a_look_between_two_others_changes_nothing(first: int, second: int) -> None:
    assert (
        follow(
            [(0, ModelStatus.RUNNING), (first, ModelStatus.RUNNING), (second, ModelStatus.RUNNING)]
        )[0]
        == (follow([(0, ModelStatus.RUNNING), (first + second, ModelStatus.RUNNING)])[0])
    )


@given(pauses, st.integers(1, 5))
def test_days_add_up_to_the_whole(seconds: int, units: int) -> None:
    before = Look(START, ModelStatus.RUNNING, units, START)
    by_day = unit_seconds(
        before, Look(START + timedelta(seconds=seconds), ModelStatus.RUNNING, units)
    )

    assert sum(by_day.values()) == seconds * units
    assert all(0 < s <= 86400 * units for s in by_day.values())


@given(st.lists(st.tuples(pauses, statuses), min_size=1, max_size=20))
def test_the_start_of_a_run_is_when_it_was_first_seen_up(looks: list[tuple[int, str]]) -> None:
    _, kept = follow(looks)
    at, since = START, None
    for pause, status in looks:
        at += timedelta(seconds=pause)
        since = (since or at) if status in UP else None

    assert (kept.since if kept else None) == since


def test_nothing_is_kept_of_a_version_that_never_ran_or_still_does_not() -> None:
    assert next_look(None, START, "STOPPED", 1) is None
    assert next_look(Look(START, "STOPPED", 1), START, "STOPPED", 1) is None


def test_cost_is_unit_hours_times_price() -> None:
    now = datetime(2026, 1, 31, 12, tzinfo=UTC)
    looks = [
        Look(now, ModelStatus.RUNNING, 2, now),
        Look(now, ModelStatus.STARTING, 1, now),
        Look(now, "STOPPED", 4),
    ]

    found = cost(True, [("2026-01-30", 3600.0), ("2026-01-31", 1800.0)], looks, now)

    assert asdict(found.rounded) == {
        "billed": True,
        "hourly": 2 * DOLLARS_PER_UNIT_HOUR,
        "today": 0.5 * DOLLARS_PER_UNIT_HOUR,
        "month": 1.5 * DOLLARS_PER_UNIT_HOUR,
        "unit_hours_month": 1.5,
    }
    assert found.text == "$2.00 today and $6.00 this month (UTC), $8.00 an hour now"


def test_where_nothing_is_billed_every_text_says_so() -> None:
    assert cost(False, [], [], START).text.startswith("nothing on this machine")
    assert "Nothing is billed" in bill_text(False)
    assert "Nothing is billed" in bill_text(False, 3600)
    assert bill_text(True, 3600) == "It cost about $4.00 since it was started"
