"""End a training run: write its outcome, announce it, and release the lease."""

from loupe.correlation import JSON, correlated
from loupe.domain.failures import failure_from_json
from loupe.domain.training import Ending
from loupe.domain.versions import VersionStatus
from loupe.services.training import TrainingEnd, close_training
from loupe.wiring import deps


@correlated
def handler(payload: JSON, context: object) -> Ending:
    """`{"execution", "version", "outcome", "reason", "error", "rollback"}` -> an ending."""
    end = TrainingEnd(
        execution=payload["execution"],
        version=payload["version"],
        outcome=VersionStatus(payload["outcome"]),
        reason=payload["reason"],
        rollback=payload["rollback"],
        failure=failure_from_json(payload.get("error")),
    )
    return close_training(end, deps())
