"""When to start and when to stop the model in service: it bills while it runs."""

from dataclasses import dataclass
from datetime import datetime, timedelta

STARTABLE = ("TRAINING_COMPLETED", "STOPPED", "FAILED")


@dataclass(frozen=True)
class Switch:
    """`action` is "start", "stop" or "leave"."""

    action: str
    reason: str = ""


def decide_power(
    status: str, backlog: int, idle_minutes: int, last_used: datetime, now: datetime
) -> Switch:
    """Start for a backlog; stop when nothing was read for `idle_minutes` (0: never).

    `status` is the service's ProjectVersionStatus; `last_used` the time of the last detection
    or, when that is later, of the last start.
    """
    if backlog and status in STARTABLE:
        return Switch("start", f"{backlog} or more images wait for it")
    if idle_minutes and not backlog and status == "RUNNING":
        idle = now - last_used
        if idle >= timedelta(minutes=idle_minutes):
            return Switch("stop", f"it read nothing for {int(idle.total_seconds() // 60)} minutes")
    return Switch("leave")
