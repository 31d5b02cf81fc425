"""Bring versions to running or stopped, and put one of them into service."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from loupe.adapters.rekognition import VersionState
from loupe.domain.events import make_event
from loupe.domain.keys import timestamp
from loupe.domain.model_state import STARTABLE, UP, ModelStatus
from loupe.domain.running_hours import bill_text
from loupe.domain.versions import Version, VersionStatus
from loupe.errors import AlreadyDone, FinalError, InvalidRequest, TryAgain
from loupe.wiring import Deps


@dataclass(frozen=True)
class StateChange:
    """Which version is wanted in which state ("RUNNING" or "STOPPED"), and why."""

    version: str
    wanted: str
    reason: str


@dataclass(frozen=True)
class ModelState:
    """`status` is "ready", "changing" or "failed"."""

    status: str
    reason: str = ""


def set_state(request: StateChange, started: bool, deps: Deps) -> ModelState:
    """One step towards the wanted state. `started`: a start was asked for before, so that a
    model that fell to FAILED since is reported and not started for ever.
    """
    state = deps.rekognition.version(request.version)
    observe(request.version, state.status, state.units, deps)
    if request.wanted == ModelStatus.RUNNING:
        return _towards_running(request, state, started, deps)
    if state.status in UP:
        return _stop(request, state, deps)
    if state.status == ModelStatus.STOPPING:
        return ModelState("changing")
    deps.versions.give_back(request.version)
    return ModelState("ready")


def observe(version: str, status: str, units: int, deps: Deps) -> None:
    """Note what the service says of a version just now: its running hours are counted from that."""
    deps.running.record(version, deps.running.look(version), deps.clock(), status, units)


def _towards_running(
    request: StateChange, state: VersionState, started: bool, deps: Deps
) -> ModelState:
    if state.status == ModelStatus.RUNNING:
        return ModelState("ready")
    if state.status in (ModelStatus.STARTING, ModelStatus.STOPPING):
        return ModelState("changing")
    if state.status not in STARTABLE or (started and state.status == ModelStatus.FAILED):
        return ModelState("failed", state.message or f"it is {state.status or 'gone'}")
    settings = deps.parameters.settings()
    units = settings.minimum_inference_units
    with _switch("ModelStarted", request, bill_text(deps.is_billed), deps):
        deps.rekognition.start(state.arn, units, settings.maximum_inference_units)
    observe(request.version, ModelStatus.STARTING, units, deps)
    return ModelState("changing")


def _stop(request: StateChange, state: VersionState, deps: Deps) -> ModelState:
    if state.status == ModelStatus.STARTING:
        return ModelState("changing")  # The service refuses to stop a model before it runs.
    look = deps.running.look(request.version)
    ran = deps.clock() - look.since if look and look.since else timedelta()
    bill = bill_text(deps.is_billed, ran.total_seconds() * state.units)
    with _switch("ModelStopped", request, bill, deps):
        deps.rekognition.stop(state.arn)
    observe(request.version, ModelStatus.STOPPING, state.units, deps)
    return ModelState("changing")


@contextmanager
def _switch(kind: str, request: StateChange, bill: str, deps: Deps) -> Iterator[None]:
    """Prepare the event of what the service is asked for; the next look at the version tells it."""
    now = deps.clock()
    cause = f"{request.version}/{timestamp(now)}"
    switch = make_event(kind, cause, now, version=request.version, reason=request.reason, bill=bill)
    deps.running.prepare_switch(request.version, switch)
    try:
        yield
    except FinalError:
        deps.running.cancel_switch(request.version, switch)
        raise


def promote(name: str, reason: str, deps: Deps) -> str:
    """Switch; a repeated run finds the switch done and only names the previous version."""
    version = deps.versions.get(name)
    service = deps.versions.service()
    if service.version == name:
        return service.previous
    now = deps.clock()
    event = make_event(
        "VersionPromoted",
        f"{name}/{service.version}/{service.since}",
        now,
        version=name,
        f1=version.f1,
        previous=service.version,
        reason=reason,
    )
    deps.versions.promote(version, service, timestamp(now), reason, [event])
    return service.version


def request_approval(name: str, reason: str, token: str, deps: Deps) -> None:
    """Keep the token with the version and tell the operator."""
    version = deps.versions.get(name)
    event = make_event(
        "ApprovalRequested",
        f"{name}/{token}",
        deps.clock(),
        version=name,
        f1=version.f1,
        reason=reason,
    )
    deps.versions.save(
        version,
        [event],
        status=VersionStatus.WAITING_FOR_APPROVAL,
        reason=reason,
        approval_token=token,
    )


def decide_approval(approved: bool, by: str, deps: Deps, version: str = "") -> Version:
    """Approve or refuse the version that waits for it; raises InvalidRequest when none does."""
    waiting = [v for v in deps.versions.newest() if v.status == VersionStatus.WAITING_FOR_APPROVAL]
    if not waiting:
        raise InvalidRequest("No version waits for approval; 'loupe models' lists the versions.")
    if version not in ("", waiting[0].name):
        raise InvalidRequest(f"{waiting[0].name} waits for approval, and not {version}.")
    deps.executions.answer(waiting[0].approval_token, {"approved": approved, "by": by})
    return waiting[0]


def switch_service(wanted_running: bool, by: str, deps: Deps) -> ModelState:
    """Start or stop the version in service.

    Raises InvalidRequest when there is none, AlreadyDone when another order was faster.
    """
    version = deps.versions.service().version
    if not version:
        raise InvalidRequest("No version is in service yet: upload labelled images, then train.")
    wanted = ModelStatus.RUNNING if wanted_running else ModelStatus.STOPPED
    if wanted_running:
        deps.versions.forget_attempts()
    before = deps.rekognition.version(version).status
    try:
        power = set_state(StateChange(version, wanted, f"{by} asked for it"), False, deps)
    except TryAgain as error:
        if deps.rekognition.version(version).status == before:
            raise
        raise AlreadyDone(f"{version} was started or stopped by another order just now.") from error
    if power.status == "failed":
        raise InvalidRequest(f"{version} cannot be started: {power.reason}.")
    return power


def why_not_started(deps: Deps) -> str:
    """Why Loupe has given up starting the version in service, in the service's words, or ""."""
    attempts = deps.versions.attempts()
    service = deps.versions.service().version
    stands = attempts is not None and attempts.given_up and attempts.version == service
    return attempts.reason if attempts and stands else ""
