"""The page Models: versions, how they did, and what the operator orders."""

from dataclasses import asdict, dataclass
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from loupe.console.access import OPERATOR, current_user, only
from loupe.console.requests import checked
from loupe.console.schema import Id, Switch
from loupe.domain.running_hours import bill_text
from loupe.services import version_report
from loupe.services.serving import decide_approval, switch_service
from loupe.wiring import deps

router = Router()


@dataclass(frozen=True)
class Check:
    """Whether a failed training is taken up again at once."""

    again: Switch = False


@dataclass(frozen=True)
class Choice:
    """The version that an order is about."""

    version: Id


@router.get("/models", middlewares=only(OPERATOR))
def models() -> dict[str, Any]:
    """All versions, newest first."""
    service = deps().versions.service().version
    return {"items": [version.as_json(service) for version in deps().versions.newest()]}


@router.get("/models/<name>", middlewares=only(OPERATOR))
@checked(router)
def model(name: Id) -> dict[str, Any]:
    """One version: measures of every label, what it takes for what, and what it was trained on."""
    version = deps().versions.get(name)
    state = deps().rekognition.version(name)
    return {
        **version.as_json(deps().versions.service().version),
        "per_label": version_report.per_label(name, deps()),
        "confusion": version_report.confusion_matrix(version, deps()),
        "snapshot": version_report.snapshot_counts(name, deps()),
        "comparison": version_report.comparison_lines(version),
        "model_status": state.status,
    }


@router.get("/models/<name>/against/<older>", middlewares=only(OPERATOR))
@checked(router)
def against(name: Id, older: Id) -> dict[str, Any]:
    """Loupe's F1 of an older and a newer version on the test images that both were asked about."""
    return asdict(version_report.against(name, older, deps()))


@router.post("/models/train", middlewares=only(OPERATOR))
@checked(router)
def train(body: Check) -> dict[str, Any]:
    """Check now whether to train; with `again`, take a failed training up at once."""
    deps().executions.start(deps().value("IMPROVE_MACHINE"), {"again": body.again})
    return {"message": "The check has begun. What it decides is on the page Activity."}


@router.post("/models/approve", middlewares=only(OPERATOR))
@checked(router)
def approve(body: Choice) -> dict[str, Any]:
    """Let the version that waits go into service."""
    version = decide_approval(True, current_user(router).name, deps(), body.version)
    return {"message": f"{version.name} was approved: it starts, is tried, and takes over."}


@router.post("/models/reject", middlewares=only(OPERATOR))
@checked(router)
def reject(body: Choice) -> dict[str, Any]:
    """Refuse the version that waits."""
    version = decide_approval(False, current_user(router).name, deps(), body.version)
    return {"message": f"{version.name} was rejected and stays out of service."}


@router.post("/models/rollback", middlewares=only(OPERATOR))
@checked(router)
def roll_back(body: Choice) -> dict[str, Any]:
    """Put an earlier version back into service."""
    version = deps().versions.get(body.version)
    deps().executions.start(deps().value("IMPROVE_MACHINE"), {"deploy": version.name})
    return {
        "message": f"{version.name} is started, tried, and takes over. That takes some minutes."
    }


@router.post("/models/start", middlewares=only(OPERATOR))
def start() -> dict[str, Any]:
    """Start the version in service."""
    switch_service(True, current_user(router).name, deps())
    return {"message": f"The model starts. {bill_text(deps().is_billed)}."}


@router.post("/models/stop", middlewares=only(OPERATOR))
def stop() -> dict[str, Any]:
    """Stop the version in service."""
    switch_service(False, current_user(router).name, deps())
    return {"message": "The model stops. The next image that waits for it starts it again."}
