"""How long versions ran, from regular looks at their status, and what that costs.

Custom Labels bills a version from the moment it is RUNNING until it is stopped, for each of its
inference units. The service does not report that moment, so Loupe looks every minute, and whenever
it starts or stops a version.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from loupe.domain.model_state import UP, ModelStatus

DOLLARS_PER_UNIT_HOUR = 4.0


@dataclass(frozen=True)
class Look:
    """The status of a version at a moment.

    `status` is its ProjectVersionStatus, `units` are its inference units, and `since` is the time
    of the first look that had it STARTING or RUNNING, with no other status at a look since.
    """

    at: datetime
    status: str
    units: int
    since: datetime | None = None


def next_look(before: Look | None, at: datetime, status: str, units: int) -> Look | None:
    """The look to store after `before`, or None when there is nothing to store."""
    was_up = before is not None and before.status in UP
    if status not in UP:
        return Look(at, status, units) if was_up else None
    return Look(at, status, units, before.since if before and was_up else at)


def unit_seconds(before: Look | None, now: Look) -> Mapping[str, float]:
    """Inference-unit seconds between two looks, by day in UTC (`2026-01-31`).

    A version that is RUNNING now, and was RUNNING or STARTING at the look before, counts as running
    in between: at most one interval too many for each start. Everything else counts nothing.
    """
    if before is None or before.status not in UP or now.status != ModelStatus.RUNNING:
        return {}
    return {
        f"{start:%Y-%m-%d}": (end - start).total_seconds() * now.units
        for start, end in _by_day(before.at, now.at)
    }


def _by_day(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The interval from `start` to `end`, split at midnight; none when `end` is not later."""
    while start < end:
        midnight = datetime.combine(start.date() + timedelta(days=1), time(), UTC)
        yield start, min(end, midnight)
        start = midnight


@dataclass(frozen=True)
class Cost:
    """The cost of running versions, in dollars; `billed` is False on the embedded stack.

    `hourly` is the rate of the versions that ran at the last look. Days and months are in UTC.
    """

    billed: bool
    hourly: float
    today: float
    month: float
    unit_hours_month: float

    @property
    def rounded(self) -> "Cost":
        """As the console and `loupe status --json` show it."""
        return Cost(
            billed=self.billed,
            hourly=round(self.hourly, 2),
            today=round(self.today, 4),
            month=round(self.month, 4),
            unit_hours_month=round(self.unit_hours_month, 4),
        )

    @property
    def text(self) -> str:
        """In words for people."""
        amounts = (
            f"${self.today:.2f} today and ${self.month:.2f} this month (UTC), "
            f"${self.hourly:.2f} an hour now"
        )
        return amounts if self.billed else f"nothing on this machine; in AWS {amounts}"


def cost(
    billed: bool, seconds_by_day: Iterable[tuple[str, float]], looks: Iterable[Look], now: datetime
) -> Cost:
    """The cost of a month's inference-unit seconds, each with its day, and of what runs now."""
    month = today = 0.0
    for day, seconds in seconds_by_day:
        month += seconds
        today += seconds if day == f"{now:%Y-%m-%d}" else 0.0
    units = sum(look.units for look in looks if look.status == ModelStatus.RUNNING)
    return Cost(
        billed,
        hourly=units * DOLLARS_PER_UNIT_HOUR,
        today=dollars(today),
        month=dollars(month),
        unit_hours_month=month / 3600,
    )


def dollars(seconds: float) -> float:
    """The price of inference-unit seconds."""
    return seconds / 3600 * DOLLARS_PER_UNIT_HOUR


def bill_text(billed: bool, seconds: float = 0.0) -> str:
    """A sentence about the bill: of a run of that many inference-unit seconds, or of a start."""
    if not billed:
        return "Nothing is billed on this machine"
    if not seconds:
        return "A running model is billed by the hour"
    return f"It cost about ${dollars(seconds):.2f} since it was started"
