"""Score a new version and the one in service on the same holdout images, and judge."""

from loupe.correlation import JSON, correlated
from loupe.domain.settings import Settings
from loupe.services.comparison import ComparisonProgress, compare
from loupe.wiring import deps


@correlated
def handler(payload: JSON, context: object) -> ComparisonProgress:
    """`{"version", "settings"}` -> the progress of the comparison."""
    settings = Settings.from_parameters(payload["settings"])
    return compare(payload["version"], settings, deps())
