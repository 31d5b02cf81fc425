"""Start or stop a version."""

from loupe.correlation import JSON, correlated
from loupe.services.serving import ModelState, StateChange, set_state
from loupe.wiring import deps


@correlated
def handler(payload: JSON, context: object) -> ModelState:
    """`{"version", "wanted", "reason", "started"?}` -> `{"status", "reason"}`. Safe to repeat."""
    change = StateChange(
        payload["version"], payload["wanted"], payload["reason"], payload.get("started", False)
    )
    return set_state(change, deps())
