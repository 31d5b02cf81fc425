"""Business rule: schedules and concurrency are what the settings say."""

from datetime import UTC, datetime, timedelta

import pytest

from loupe.domain.schedules import (
    Schedule,
    detection_concurrency,
    next_run,
    rate,
    sampling_schedule,
    training_schedule,
)
from loupe.domain.settings import Settings


@pytest.mark.parametrize(
    ("minutes", "expression"),
    [(1, "rate(1 minute)"), (2, "rate(2 minutes)"), (1440, "rate(1440 minutes)")],
)
def test_one_minute_is_singular(minutes: int, expression: str) -> None:
    assert rate(minutes) == expression


def test_a_schedule_that_is_off_keeps_its_rate() -> None:
    found = Settings.from_parameters(
        {
            "Enable-Automatic-Training": "false",
            "Automatic-Training-Poll-Frequency": "1",
            "Enable-Automatic-Human-Sampling": "true",
            "Automatic-Human-Sampling-Frequency": "60",
        }
    )

    assert training_schedule(found) == Schedule(False, "rate(1 minute)")
    assert sampling_schedule(found) == Schedule(True, "rate(60 minutes)")


@pytest.mark.parametrize(("units", "concurrency"), [("1", 5), ("4", 20), ("100", 500)])
def test_images_read_at_a_time_follow_the_inference_units_within_what_sqs_takes(
    units: str, concurrency: int
) -> None:
    found = Settings.from_parameters({"Maximum-Inference-Units": units})

    assert detection_concurrency(found) == concurrency


BEGUN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("minutes_since", "next_minute"), [(0, 30), (1, 30), (29.9, 30), (30, 60), (100, 120)]
)
def test_the_next_run_is_the_next_multiple_of_the_rate(
    minutes_since: float, next_minute: int
) -> None:
    now = BEGUN + timedelta(minutes=minutes_since)

    assert next_run(BEGUN, "rate(30 minutes)", now) == BEGUN + timedelta(minutes=next_minute)


def test_what_is_no_rate_in_minutes_is_said() -> None:
    with pytest.raises(ValueError, match="cron"):
        next_run(BEGUN, "cron(0 * * * ? *)", BEGUN)
