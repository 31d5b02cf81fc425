"""Score a new version and the one in service on the same holdout images, and judge."""

from dataclasses import asdict
from typing import Any

from loupe.correlation import correlated
from loupe.domain.settings import Settings
from loupe.services.comparison import compare
from loupe.wiring import deps


@correlated
def handler(payload: dict[str, Any], context: Any) -> dict[str, Any]:
    """`{"version", "settings"}` -> the progress of the comparison."""
    settings = Settings.from_parameters(payload["settings"])
    return asdict(compare(payload["version"], settings, deps()))
