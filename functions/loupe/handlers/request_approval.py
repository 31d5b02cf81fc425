"""Ask an operator to approve a version; the state machine waits with a task token."""

from loupe.correlation import JSON, correlated
from loupe.services.serving import request_approval
from loupe.wiring import deps


@correlated
def handler(payload: JSON, context: object) -> JSON:
    """`{"version", "reason", "token"}` -> `{}`; `loupe approve` or `reject` uses the token."""
    request_approval(payload["version"], payload["reason"], payload["token"], deps())
    return {}
