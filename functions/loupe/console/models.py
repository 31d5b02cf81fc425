"""The page Models: versions, how they did, and what the operator orders."""

from dataclasses import dataclass
from typing import TypedDict, cast

from loupe.console.access import Role, current_user
from loupe.console.answers import All, Message
from loupe.console.requests import Api
from loupe.console.schema import Id, Switch
from loupe.domain.comparison import SideBySide
from loupe.domain.running_hours import bill_text
from loupe.domain.versions import LabelMetrics, Version, VersionStatus
from loupe.services import version_report
from loupe.services.serving import decide_approval, switch_service
from loupe.services.version_report import Confusion, LabelImages, Line
from loupe.wiring import deps

router = Api()


@dataclass(frozen=True)
class Check:
    """Whether a failed training is taken up again at once."""

    again: Switch = False


@dataclass(frozen=True)
class Choice:
    """The version that an order is about."""

    version: Id


class VersionView(TypedDict):
    """A version and why it is, or is not, in service.

    `f1` is Rekognition's own, on the test images of its time. `samples` counts the quality samples
    that people answered, `samples_agreed` those in which the version agreed with them. `reports`
    counts its answers that were reported as wrong, `reports_confirmed` those that were. `settled`
    counts queued reviews of images that it was sure of. `retry_at` is when a failed attempt is
    tried again by itself, or "".
    """

    name: str
    status: VersionStatus
    at: str
    labels: list[str]
    f1: float | None
    training_images: int
    holdout_images: int
    reason: str
    in_service: bool
    samples: int
    samples_agreed: int
    reports: int
    reports_confirmed: int
    settled: int
    retry_at: str


class VersionDetail(VersionView):
    """The same with its measures; `snapshot` is what it was trained and tested on."""

    per_label: list[LabelMetrics]
    confusion: Confusion | None
    snapshot: list[LabelImages]
    comparison: list[Line]
    accuracy: list[Line]
    model_status: str


@router.offer("GET", "/models", Role.OPERATOR)
def models() -> All[VersionView]:
    """All versions, newest first."""
    service = deps().versions.service().version
    return {"items": [_shown(version, service) for version in deps().versions.newest()]}


@router.offer("GET", "/models/<name>", Role.OPERATOR)
def model(name: Id) -> VersionDetail:
    """One version: measures of every label, what it takes for what, and what it was trained on."""
    version = deps().versions.get(name)
    state = deps().rekognition.version(name)
    return {
        **_shown(version, deps().versions.service().version),
        "per_label": version_report.per_label(name, deps()),
        "confusion": version_report.confusion_matrix(version, deps()),
        "snapshot": version_report.snapshot_counts(name, deps()),
        "comparison": version_report.comparison_lines(version),
        "accuracy": version_report.accuracy_lines(version, deps()),
        "model_status": state.status,
    }


@router.offer("GET", "/models/<name>/against/<older>", Role.OPERATOR)
def against(name: Id, older: Id) -> SideBySide:
    """Loupe's F1 of an older and a newer version on the test images that both were asked about."""
    return version_report.against(name, older, deps())


@router.offer("POST", "/models/train", Role.OPERATOR)
def train(body: Check) -> Message:
    """Check now whether to train; with `again`, take a failed training up at once."""
    deps().executions.start(deps().value("IMPROVE_MACHINE"), {"again": body.again})
    return {"message": "The check has begun. What it decides is on the page Activity."}


@router.offer("POST", "/models/approve", Role.OPERATOR)
def approve(body: Choice) -> Message:
    """Let the version that waits go into service."""
    version = decide_approval(True, current_user(router).name, deps(), body.version)
    return {"message": f"{version.name} was approved: it starts, is tried, and takes over."}


@router.offer("POST", "/models/reject", Role.OPERATOR)
def reject(body: Choice) -> Message:
    """Reject the version that waits."""
    version = decide_approval(False, current_user(router).name, deps(), body.version)
    return {"message": f"{version.name} was rejected and stays out of service."}


@router.offer("POST", "/models/rollback", Role.OPERATOR)
def roll_back(body: Choice) -> Message:
    """Put an earlier version back into service."""
    version = deps().versions.get(body.version)
    deps().executions.start(deps().value("IMPROVE_MACHINE"), {"deploy": version.name})
    return {
        "message": f"{version.name} is started, tried, and takes over. That takes some minutes."
    }


@router.offer("POST", "/models/start", Role.OPERATOR)
def start() -> Message:
    """Start the version in service."""
    switch_service(True, current_user(router).name, deps())
    return {"message": f"The model starts. {bill_text(deps().is_billed)}."}


@router.offer("POST", "/models/stop", Role.OPERATOR)
def stop() -> Message:
    """Stop the version in service."""
    switch_service(False, current_user(router).name, deps())
    return {"message": "The model stops. The next image that waits for it starts it again."}


def _shown(version: Version, in_service: str) -> VersionView:
    shown = version.as_json(in_service)
    return cast(VersionView, {name: shown[name] for name in VersionView.__annotations__})
