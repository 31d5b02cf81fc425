"""End a training run: write its outcome, announce it, and release the lease."""

from dataclasses import asdict
from typing import Any

from loupe.correlation import correlated
from loupe.domain.failures import failure_from_json
from loupe.domain.versions import VersionStatus
from loupe.services.training import TrainingEnd, close_training
from loupe.wiring import deps


@correlated
def handler(payload: dict[str, Any], context: Any) -> dict[str, Any]:
    """`{"execution", "version", "outcome", "reason", "error", "rollback"}` -> an ending."""
    end = TrainingEnd(
        execution=payload["execution"],
        version=payload["version"],
        outcome=VersionStatus(payload["outcome"]),
        reason=payload["reason"],
        rollback=payload["rollback"],
        failure=failure_from_json(payload.get("error")),
    )
    return asdict(close_training(end, deps()))
