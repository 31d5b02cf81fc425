"""Smoke test: a version that has just started must answer before it takes over."""

from typing import Any

from loupe.correlation import correlated
from loupe.services.comparison import smoke_test
from loupe.wiring import deps


@correlated
def handler(payload: dict[str, Any], context: Any) -> dict[str, Any]:
    """`{"version"}` -> `{"answered"}`. Raises TryAgain or ServiceRefused when it does not."""
    return {"answered": smoke_test(payload["version"], deps())}
