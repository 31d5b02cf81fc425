"""Start or stop a version."""

from dataclasses import asdict
from typing import Any

from loupe.correlation import correlated
from loupe.services.serving import StateChange, set_state
from loupe.wiring import deps


@correlated
def handler(payload: dict[str, Any], context: Any) -> dict[str, Any]:
    """`{"version", "wanted", "reason", "started"?}` -> `{"status", "reason"}`. Safe to repeat."""
    change = StateChange(
        payload["version"], payload["wanted"], payload["reason"], payload.get("started", False)
    )
    return asdict(set_state(change, deps()))
