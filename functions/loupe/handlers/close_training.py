"""End of a run of `improve`: write how it ended, tell it, and give the lease back."""

from dataclasses import dataclass
from typing import Any

from loupe.adapters.versions import Version
from loupe.correlation import correlated
from loupe.domain.events import Event, event
from loupe.domain.training import (
    IN_SERVICE,
    STALL_AFTER,
    TRAINING_FAILED,
    needed_changes,
)
from loupe.errors import AlreadyDone
from loupe.telemetry import logger
from loupe.wiring import Deps, deps


@dataclass(frozen=True)
class Request:
    """`outcome` is a version's status. `rollback`: the run put an earlier version back."""

    execution: str
    version: str
    outcome: str
    reason: str
    rollback: bool


@correlated
def handler(payload: dict[str, Any], context: Any) -> dict[str, Any]:
    """`{"execution", "version", "outcome", "reason", "rollback"}` -> `{}`."""
    close(Request(**payload), deps())
    return {}


def close(request: Request, deps: Deps) -> None:
    """Write the outcome once, then release the lease. Safe to repeat."""
    version = deps.versions.get(request.version)
    if request.rollback:
        _close_rollback(version, request, deps)
    elif version.closed_by != request.execution:
        _close_attempt(version, request, deps)
    try:
        deps.versions.release_lease(request.execution)
    except AlreadyDone:
        logger.info("the lease had been released", extra={"execution": request.execution})


def _close_attempt(version: Version, request: Request, deps: Deps) -> None:
    promoted = request.outcome == IN_SERVICE
    events = [] if promoted else [_not_promoted(version, request, deps)]
    in_a_row = deps.versions.close(
        version,
        promoted,
        events,
        status=request.outcome,
        reason=request.reason,
        approval_token="",
        closed_by=request.execution,
    )
    if in_a_row and in_a_row % STALL_AFTER == 0:
        minimum = deps.parameters.settings().minimum_untrained_images
        told = event(
            "PromotionsStalled",
            f"{version.name}/{in_a_row}",
            deps.clock(),
            count=in_a_row,
            needed=needed_changes(minimum, in_a_row),
        )
        deps.table.write([], [told])


def _close_rollback(version: Version, request: Request, deps: Deps) -> None:
    """A version that could not be put back keeps its status; the operator is told why."""
    if request.outcome != IN_SERVICE:
        deps.table.write([], [_not_promoted(version, request, deps)])


def _not_promoted(version: Version, request: Request, deps: Deps) -> Event:
    kind = "TrainingFailed" if request.outcome == TRAINING_FAILED else "VersionNotPromoted"
    return event(
        kind,
        f"{version.name}/{request.outcome}/{request.execution}",
        deps.clock(),
        version=version.name,
        f1=version.f1,
        outcome=request.outcome,
        reason=request.reason,
    )
