"""Schedules and the detection queue's concurrency, from the settings."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from loupe.domain.settings import Settings

DETECTIONS_PER_UNIT = 5
"""Detections a second of one inference unit; a run takes about a second."""


@dataclass(frozen=True)
class Schedule:
    """`rate` is an EventBridge Scheduler expression."""

    enabled: bool
    rate: str


def rate(minutes: int) -> str:
    """`rate(1 minute)`, `rate(2 minutes)`: the singular is required for 1."""
    return f"rate({minutes} minute{'' if minutes == 1 else 's'})"


def training_schedule(settings: Settings) -> Schedule:
    return Schedule(settings.automatic_training, rate(settings.training_minutes))


def sampling_schedule(settings: Settings) -> Schedule:
    return Schedule(settings.sampling, rate(settings.sampling_minutes))


def detection_concurrency(settings: Settings) -> int:
    """Images read in parallel. SQS event sources accept 2 to 1000."""
    return max(2, min(1000, settings.maximum_inference_units * DETECTIONS_PER_UNIT))


def next_run(since: datetime, expression: str, now: datetime) -> datetime:
    """The next run after `now` of a schedule with the rate `expression` that began at `since`."""
    match = re.fullmatch(r"rate\((\d+) minutes?\)", expression)
    if match is None:
        raise ValueError(f"{expression!r} is not a rate in minutes")
    every = timedelta(minutes=int(match[1]))
    return since + every * ((now - since) // every + 1)
