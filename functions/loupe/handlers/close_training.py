"""End of a training run: write how it ended, announce it, and give the lease back."""

from dataclasses import asdict, dataclass
from typing import Any

from loupe.adapters.versions import Version
from loupe.correlation import correlated
from loupe.domain.events import Event, event
from loupe.domain.failures import Failure, failure_from_json
from loupe.domain.training import (
    IN_SERVICE,
    STALL_AFTER,
    TRAINING_FAILED,
    Ending,
    end_attempt,
    needed_changes,
    words_of,
)
from loupe.errors import AlreadyDone
from loupe.telemetry import logger
from loupe.wiring import Deps, deps


@dataclass(frozen=True)
class Request:
    """`outcome` is a version's status, `failure` what the run caught, if it caught anything.

    `rollback`: the run put an earlier version back.
    """

    execution: str
    version: str
    outcome: str
    reason: str
    rollback: bool
    failure: Failure | None = None


@correlated
def handler(payload: dict[str, Any], context: Any) -> dict[str, Any]:
    """`{"execution", "version", "outcome", "reason", "error", "rollback"}` -> an ending."""
    request = Request(
        execution=payload["execution"],
        version=payload["version"],
        outcome=payload["outcome"],
        reason=payload["reason"],
        rollback=payload["rollback"],
        failure=failure_from_json(payload.get("error")),
    )
    return asdict(close(request, deps()))


def close(request: Request, deps: Deps) -> Ending:
    """Write the outcome once, then release the lease. Safe to repeat."""
    version = deps.versions.get(request.version)
    if request.rollback:
        ending = _close_rollback(version, request, deps)
    elif version.closed_by == request.execution:
        ending = Ending(version.status, version.reason, version.retry_at, version.failures)
    else:
        ending = end_attempt(
            request.outcome, request.reason, request.failure, version.failures, deps.clock()
        )
        _write(version, ending, request, deps)
    try:
        deps.versions.release_lease(request.execution)
    except AlreadyDone:
        logger.info("the lease had been released", extra={"execution": request.execution})
    return ending


def _write(version: Version, ending: Ending, request: Request, deps: Deps) -> None:
    promoted = request.outcome == IN_SERVICE
    events = [] if promoted else [_not_promoted(version, ending, request, deps)]
    changes = asdict(ending) | {"approval_token": "", "closed_by": request.execution}
    if ending.retry_at:
        deps.versions.save(version, events, **changes)
        return
    in_a_row = deps.versions.close(version, promoted, events, **changes)
    if in_a_row and in_a_row % STALL_AFTER == 0:
        _announce_stall(version, in_a_row, deps)


def _close_rollback(version: Version, request: Request, deps: Deps) -> Ending:
    """A version that could not be put back keeps its status, and the operator hears why."""
    ending = Ending(version.status, words_of(request.reason, request.failure))
    if request.outcome != IN_SERVICE:
        deps.table.write([], [_not_promoted(version, ending, request, deps)])
    return ending


def _announce_stall(version: Version, in_a_row: int, deps: Deps) -> None:
    minimum = deps.parameters.settings().minimum_untrained_images
    stalled = event(
        "PromotionsStalled",
        f"{version.name}/{in_a_row}",
        deps.clock(),
        count=in_a_row,
        needed=needed_changes(minimum, in_a_row),
    )
    deps.table.write([], [stalled])


def _not_promoted(version: Version, ending: Ending, request: Request, deps: Deps) -> Event:
    kind = "TrainingFailed" if request.outcome == TRAINING_FAILED else "VersionNotPromoted"
    return event(
        kind,
        f"{version.name}/{request.outcome}/{request.execution}",
        deps.clock(),
        version=version.name,
        f1=version.f1,
        outcome=request.outcome,
        reason=ending.reason,
        retry_at=ending.retry_at,
        next=_next_step(ending, request),
    )


def _next_step(ending: Ending, request: Request) -> str:
    if ending.retry_at:
        return f"It is tried again after {ending.retry_at}, or at once with 'loupe train --again'."
    if request.rollback:
        return f"'loupe rollback {request.version}' tries it once more."
    if request.outcome == TRAINING_FAILED:
        return "The next training starts when there are enough new labelled images."
    return "'loupe models' lists every version with its reason."
