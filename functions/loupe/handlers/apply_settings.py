"""Make schedules and concurrency follow the settings."""

from typing import Any

from loupe.services.settings import apply_settings
from loupe.wiring import deps


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """A parameter change, a finished deployment or a schedule -> `{"changed": [...]}`."""
    return {"changed": apply_settings(deps())}
