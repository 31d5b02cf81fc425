"""Train a version, or say how far its training is."""

from dataclasses import asdict
from typing import Any

from loupe.correlation import correlated
from loupe.services.training import train
from loupe.wiring import deps


@correlated
def handler(payload: dict[str, Any], context: Any) -> dict[str, Any]:
    """`{"version"}` -> the progress of its training. The first call starts it."""
    return asdict(train(payload["version"], deps()))
