"""Versions of the model, and the one in service."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from loupe.domain.events import Event, make_event


class VersionStatus(StrEnum):
    """The states of a version."""

    TRAINING = "training"
    TRAINING_FAILED = "training_failed"
    BELOW_GATE = "below_gate"
    NOT_BETTER = "not_better"
    WAITING_FOR_APPROVAL = "waiting_for_approval"
    REJECTED = "rejected"
    FAILED = "failed"
    IN_SERVICE = "in_service"
    REPLACED = "replaced"
    IMPORTED = "imported"
    """The history of another stack: its model is not in this one's project."""

    @classmethod
    def _missing_(cls, value: object) -> "VersionStatus | None":
        """Two names of 0.1.0, in its records and in the runs that it began."""
        return {"refused": cls.REJECTED, "retired": cls.REPLACED}.get(str(value))


@dataclass(frozen=True)
class Version:
    """One version, trained or failed. `f1` is the service's own, on the holdout of its training.

    People gave the same answer to `samples_agreed` of `samples` quality samples, and found
    `reports_confirmed` of `reports` reported answers wrong. `settled` counts the queued reviews of
    images that it was sure of. `retry_at` is when an attempt is
    repeated that failed for a cause outside its data ("": never), `failures` the number of such
    failures in a row.
    """

    name: str
    status: VersionStatus
    at: str
    labels: tuple[str, ...]
    arn: str = ""
    f1: float | None = None
    training_images: int = 0
    holdout_images: int = 0
    reason: str = ""
    comparison: Mapping[str, Any] = field(default_factory=dict)
    samples: int = 0
    samples_agreed: int = 0
    reports: int = 0
    reports_confirmed: int = 0
    settled: int = 0
    approval_token: str = ""
    closed_by: str = ""
    retry_at: str = ""
    failures: int = 0

    def as_json(self, in_service: str) -> dict[str, Any]:
        """As `loupe models --json` shows it."""
        shown = asdict(self)
        for hidden in ("approval_token", "arn", "closed_by", "failures"):
            del shown[hidden]
        return shown | {"in_service": self.name == in_service, "labels": list(self.labels)}


def version_event(kind: str, cause: str, at: datetime, version: Version, **detail: Any) -> Event:
    """An event about a version that was trained."""
    return make_event(kind, cause, at, version=version.name, f1=version.f1, **detail)


@dataclass(frozen=True)
class LabelMetrics:
    """How a version did on the test images of one label, by the service's own evaluation."""

    label: str
    f1: float
    precision: float
    recall: float


@dataclass(frozen=True)
class Service:
    """The version in service and the one before it; "" where there is none."""

    version: str = ""
    arn: str = ""
    previous: str = ""
    since: str = ""
