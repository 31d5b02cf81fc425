"""Train a version, or say how its training goes."""

from dataclasses import asdict
from typing import Any

from loupe.correlation import correlated
from loupe.services.training import train
from loupe.wiring import deps


@correlated
def handler(payload: dict[str, Any], context: Any) -> dict[str, Any]:
    """`{"version"}` -> how its training goes. The first call starts it; each later one looks."""
    return asdict(train(payload["version"], deps()))
