"""When to start and when to stop the model in service, which is billed while it runs."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class ModelStatus(StrEnum):
    """The ProjectVersionStatus values of Rekognition that Loupe distinguishes.

    The service may return others, as plain texts that equal none of these.
    """

    TRAINING_IN_PROGRESS = "TRAINING_IN_PROGRESS"
    TRAINING_COMPLETED = "TRAINING_COMPLETED"
    TRAINING_FAILED = "TRAINING_FAILED"
    STARTING = "STARTING"
    RUNNING = "RUNNING"
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"
    FAILED = "FAILED"


UP = (ModelStatus.STARTING, ModelStatus.RUNNING)
"""It runs, or will run."""
STARTABLE = (ModelStatus.TRAINING_COMPLETED, ModelStatus.STOPPED, ModelStatus.FAILED)
PAUSES = (0, 2, 10, 30, 60)
"""Minutes before each attempt to start a model; after the last one Loupe gives up."""


@dataclass(frozen=True)
class Attempts:
    """Attempts to start a model for a backlog since it last ran, for one version and its units.

    `at` is the time of the last one, `reason` the service's reason for its failure. `given_up`:
    Loupe starts it no more, and the operator has an event that says so.
    """

    version: str
    units: str
    count: int
    at: datetime
    reason: str = ""
    given_up: bool = False


@dataclass(frozen=True)
class Switch:
    """`action` is "start", "stop", "give up" or "leave"."""

    action: str
    reason: str = ""


def decide_model_state(
    status: str,
    backlog: int,
    idle_minutes: int,
    last_used: datetime,
    now: datetime,
    attempts: Attempts | None = None,
) -> Switch:
    """Start for a backlog; stop when nothing was read for `idle_minutes` (0: never).

    `status` is the service's ProjectVersionStatus; `last_used` the time of the last detection
    or, when that is later, of the last start.
    """
    if backlog and status in STARTABLE:
        return _start(backlog, now, attempts)
    if idle_minutes and not backlog and status == ModelStatus.RUNNING:
        idle = now - last_used
        if idle >= timedelta(minutes=idle_minutes):
            return Switch("stop", f"it read nothing for {int(idle.total_seconds() // 60)} minutes")
    return Switch("leave")


def _start(backlog: int, now: datetime, attempts: Attempts | None) -> Switch:
    """Business rule: a start that fails is repeated with growing pauses, up to a limit."""
    if attempts is None or not attempts.count:
        return Switch("start", f"{backlog} or more images wait for it")
    if attempts.count >= len(PAUSES):
        return Switch("leave" if attempts.given_up else "give up")
    if now - attempts.at < timedelta(minutes=PAUSES[attempts.count]):
        return Switch("leave")
    return Switch("start", f"{backlog} or more images wait for it, attempt {attempts.count + 1}")
