"""Every minute: start or stop the model in service, and continue what waits."""

from typing import Any

from loupe.services.housekeeping import run_housekeeping
from loupe.wiring import deps


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """A scheduled event -> `{"action", "queued", "opened"}`."""
    return run_housekeeping(deps())
