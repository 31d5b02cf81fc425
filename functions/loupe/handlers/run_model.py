"""Bring a version to running or stopped."""

from dataclasses import asdict, dataclass
from typing import Any

from loupe.adapters.rekognition import VersionState
from loupe.correlation import correlated
from loupe.domain.events import event
from loupe.domain.power import STARTABLE
from loupe.wiring import Deps, deps

RUNNING = "RUNNING"
STOPPED = "STOPPED"


@dataclass(frozen=True)
class Request:
    """Which version is wanted in which state ("RUNNING" or "STOPPED"), and why."""

    version: str
    wanted: str
    reason: str


@dataclass(frozen=True)
class Power:
    """`status` is "ready", "changing" or "failed"."""

    status: str
    reason: str = ""


@correlated
def handler(payload: dict[str, Any], context: Any) -> dict[str, Any]:
    """`{"version", "wanted", "reason", "started"?}` -> how far it is. Safe to repeat."""
    request = Request(payload["version"], payload["wanted"], payload["reason"])
    return asdict(bring(request, payload.get("started", False), deps()))


def bring(request: Request, started: bool, deps: Deps) -> Power:
    """One step towards the wanted state. `started`: a start was asked for before, so that a
    model that fell to FAILED since is reported and not started for ever.
    """
    state = deps.rekognition.version(request.version)
    if request.wanted == RUNNING:
        return _towards_running(request, state, started, deps)
    if state.status in (RUNNING, "STARTING"):
        return _stop(request, state, deps)
    return Power("changing" if state.status == "STOPPING" else "ready")


def _towards_running(request: Request, state: VersionState, started: bool, deps: Deps) -> Power:
    if state.status == RUNNING:
        return Power("ready")
    if state.status in ("STARTING", "STOPPING"):
        return Power("changing")
    if state.status not in STARTABLE or (started and state.status == "FAILED"):
        return Power("failed", state.message or f"it is {state.status or 'gone'}")
    settings = deps.parameters.settings()
    deps.rekognition.start(
        state.arn, settings.minimum_inference_units, settings.maximum_inference_units
    )
    _tell("ModelStarted", request, deps)
    return Power("changing")


def _stop(request: Request, state: VersionState, deps: Deps) -> Power:
    if state.status == "STARTING":
        return Power("changing")  # The service refuses to stop a model before it runs.
    deps.rekognition.stop(state.arn)
    _tell("ModelStopped", request, deps)
    return Power("changing")


def _tell(kind: str, request: Request, deps: Deps) -> None:
    now = deps.clock()
    cause = f"{request.version}/{now:%Y-%m-%dT%H:%M}"
    told = event(kind, cause, now, version=request.version, reason=request.reason)
    deps.table.write([], [told])
