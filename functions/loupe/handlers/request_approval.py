"""Ask an operator to approve a version; the state machine waits with a task token."""

from typing import Any

from loupe.correlation import correlated
from loupe.domain.events import event
from loupe.domain.training import WAITING_FOR_APPROVAL
from loupe.wiring import Deps, deps


@correlated
def handler(payload: dict[str, Any], context: Any) -> dict[str, Any]:
    """`{"version", "reason", "token"}` -> `{}`; `loupe approve` or `reject` uses the token."""
    ask(payload["version"], payload["reason"], payload["token"], deps())
    return {}


def ask(name: str, reason: str, token: str, deps: Deps) -> None:
    """Keep the token with the version and tell the operator."""
    version = deps.versions.get(name)
    told = event(
        "ApprovalRequested",
        f"{name}/{token}",
        deps.clock(),
        version=name,
        f1=version.f1,
        reason=reason,
    )
    deps.versions.save(
        version, [told], status=WAITING_FOR_APPROVAL, reason=reason, approval_token=token
    )
