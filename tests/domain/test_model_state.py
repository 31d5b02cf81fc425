"""Business rule: a model runs while it is needed, and no longer than the operator allows."""

from datetime import UTC, datetime, timedelta

import pytest

from loupe.domain.model_state import PAUSES, STARTABLE, Attempts, decide_model_state

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def action(status: str, backlog: int = 0, idle_minutes: int = 0, idle_for: int = 0) -> str:
    last_used = NOW - timedelta(minutes=idle_for)
    return decide_model_state(status, backlog, idle_minutes, last_used, NOW).action


@pytest.mark.parametrize("status", STARTABLE)
def test_a_backlog_starts_a_model_that_does_not_run(status: str) -> None:
    assert action(status, backlog=1) == "start"


@pytest.mark.parametrize("status", ["STARTING", "STOPPING", "RUNNING", "DELETING", ""])
def test_a_model_that_runs_or_is_changing_is_not_started(status: str) -> None:
    assert action(status, backlog=1) == "leave"


def test_without_a_backlog_nothing_is_started() -> None:
    assert action("STOPPED", idle_minutes=5, idle_for=500) == "leave"


def test_an_idle_model_is_stopped_once_the_minutes_have_passed() -> None:
    assert action("RUNNING", idle_minutes=30, idle_for=29) == "leave"
    assert action("RUNNING", idle_minutes=30, idle_for=30) == "stop"


def test_zero_minutes_mean_never() -> None:
    assert action("RUNNING", idle_minutes=0, idle_for=10_000) == "leave"


def test_a_model_with_a_backlog_is_not_stopped() -> None:
    assert action("RUNNING", backlog=1, idle_minutes=1, idle_for=100) == "leave"


def test_a_switch_says_why() -> None:
    started = decide_model_state("STOPPED", 1, 0, NOW, NOW)
    stopped = decide_model_state("RUNNING", 0, 10, NOW - timedelta(minutes=12), NOW)

    assert "images wait" in started.reason
    assert "12 minutes" in stopped.reason


# A model that cannot start


def attempted(count: int, minutes_ago: int, given_up: bool = False) -> str:
    attempts = Attempts("v1", "1-1", count, NOW - timedelta(minutes=minutes_ago), "", given_up)
    return decide_model_state("FAILED", 1, 0, NOW, NOW, attempts).action


def test_a_model_that_fell_is_tried_again_after_pauses_that_grow() -> None:
    assert list(PAUSES) == sorted(set(PAUSES))
    for count, pause in enumerate(PAUSES[1:], start=1):
        assert attempted(count, pause - 1) == "leave"
        assert attempted(count, pause) == "start"


def test_after_the_last_attempt_loupe_gives_up_once() -> None:
    assert attempted(len(PAUSES), 0) == "give up"
    assert attempted(len(PAUSES), 10_000, given_up=True) == "leave"
