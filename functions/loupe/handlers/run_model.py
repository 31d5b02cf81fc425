"""Bring a version to running or stopped."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from loupe.adapters.rekognition import VersionState
from loupe.correlation import correlated
from loupe.domain.events import event
from loupe.domain.places import stamp
from loupe.domain.power import STARTABLE
from loupe.domain.running_hours import RUNNING, STARTING, UP, bill_text
from loupe.errors import FinalError
from loupe.wiring import Deps, deps

STOPPED = "STOPPED"
STOPPING = "STOPPING"


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
    observe(request.version, state.status, state.units, deps)
    if request.wanted == RUNNING:
        return _towards_running(request, state, started, deps)
    if state.status in UP:
        return _stop(request, state, deps)
    if state.status == STOPPING:
        return Power("changing")
    deps.versions.give_back(request.version)
    return Power("ready")


def observe(version: str, status: str, units: int, deps: Deps) -> None:
    """Note what the service says of a version just now: its running hours are counted from that."""
    deps.running.record(version, deps.running.look(version), deps.clock(), status, units)


def _towards_running(request: Request, state: VersionState, started: bool, deps: Deps) -> Power:
    if state.status == RUNNING:
        return Power("ready")
    if state.status in (STARTING, STOPPING):
        return Power("changing")
    if state.status not in STARTABLE or (started and state.status == "FAILED"):
        return Power("failed", state.message or f"it is {state.status or 'gone'}")
    settings = deps.parameters.settings()
    units = settings.minimum_inference_units
    with _switch("ModelStarted", request, bill_text(deps.is_billed), deps):
        deps.rekognition.start(state.arn, units, settings.maximum_inference_units)
    observe(request.version, STARTING, units, deps)
    return Power("changing")


def _stop(request: Request, state: VersionState, deps: Deps) -> Power:
    if state.status == STARTING:
        return Power("changing")  # The service refuses to stop a model before it runs.
    look = deps.running.look(request.version)
    ran = deps.clock() - look.since if look and look.since else timedelta()
    bill = bill_text(deps.is_billed, ran.total_seconds() * state.units)
    with _switch("ModelStopped", request, bill, deps):
        deps.rekognition.stop(state.arn)
    observe(request.version, STOPPING, state.units, deps)
    return Power("changing")


@contextmanager
def _switch(kind: str, request: Request, bill: str, deps: Deps) -> Iterator[None]:
    """Prepare the event of what the service is asked for; the next look at the version tells it."""
    now = deps.clock()
    cause = f"{request.version}/{stamp(now)}"
    switch = event(kind, cause, now, version=request.version, reason=request.reason, bill=bill)
    deps.running.prepare_switch(request.version, switch)
    try:
        yield
    except FinalError:
        deps.running.cancel_switch(request.version, switch)
        raise
