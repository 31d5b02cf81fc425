"""Smoke test: a version that has just started must answer before it takes over."""

from loupe.correlation import JSON, correlated
from loupe.services.comparison import smoke_test
from loupe.wiring import deps


@correlated
def handler(payload: JSON, context: object) -> JSON:
    """`{"version"}` -> `{"answered"}`. Raises TryAgain or ServiceRefused when it does not."""
    return {"answered": smoke_test(payload["version"], deps())}
