"""Bring a version to running or stopped."""

from dataclasses import asdict
from typing import Any

from loupe.correlation import correlated
from loupe.services.serving import StateChange, set_state
from loupe.wiring import deps


@correlated
def handler(payload: dict[str, Any], context: Any) -> dict[str, Any]:
    """`{"version", "wanted", "reason", "started"?}` -> how far it is. Safe to repeat."""
    change = StateChange(payload["version"], payload["wanted"], payload["reason"])
    return asdict(set_state(change, payload.get("started", False), deps()))
