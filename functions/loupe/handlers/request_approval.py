"""Ask an operator to approve a version; the state machine waits with a task token."""

from typing import Any

from loupe.correlation import correlated
from loupe.services.serving import request_approval
from loupe.wiring import deps


@correlated
def handler(payload: dict[str, Any], context: Any) -> dict[str, Any]:
    """`{"version", "reason", "token"}` -> `{}`; `loupe approve` or `reject` uses the token."""
    request_approval(payload["version"], payload["reason"], payload["token"], deps())
    return {}
