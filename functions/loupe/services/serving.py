"""Start and stop versions, and put one of them into service."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from loupe.adapters.rekognition import VersionState
from loupe.domain.events import make_event
from loupe.domain.keys import timestamp
from loupe.domain.model_state import STARTABLE, ModelStatus
from loupe.domain.running_hours import bill_text
from loupe.domain.versions import Version, VersionStatus, version_event
from loupe.errors import AlreadyDone, FinalError, InvalidRequest, TryAgain
from loupe.wiring import Deps


@dataclass(frozen=True)
class StateChange:
    """A version, the state that it is to have ("RUNNING" or "STOPPED"), and why.

    `started`: its start was requested before, so that a model that has fallen to FAILED since is
    reported instead of started for ever.
    """

    version: str
    target: str
    reason: str
    started: bool = False


@dataclass(frozen=True)
class ModelState:
    """`status` is "ready", "changing" or "failed"."""

    status: str
    reason: str = ""


def set_state(change: StateChange, deps: Deps) -> ModelState:
    """Take one step towards the target state."""
    state = deps.rekognition.version(change.version)
    observe(change.version, state.status, state.units, deps)
    match state.status, change.target:
        case ((ModelStatus.STARTING | ModelStatus.STOPPING), _):
            return ModelState("changing")  # The service refuses to stop a model before it runs.
        case ModelStatus.RUNNING, ModelStatus.RUNNING:
            return ModelState("ready")
        case _, ModelStatus.RUNNING:
            return _start(change, state, deps)
        case ModelStatus.RUNNING, _:
            return _stop(change, state, deps)
        case _:
            deps.versions.give_back(change.version)
            return ModelState("ready")


def observe(version: str, status: str, units: int, deps: Deps) -> None:
    """Record the current status of a version: its running hours are counted from these."""
    deps.running.record(version, deps.running.look(version), deps.clock(), status, units)


def _start(change: StateChange, state: VersionState, deps: Deps) -> ModelState:
    has_failed = change.started and state.status == ModelStatus.FAILED
    if state.status not in STARTABLE or has_failed:
        return ModelState("failed", state.message or f"it is {state.status or 'deleted'}")
    settings = deps.parameters.settings()
    units = settings.minimum_inference_units
    with _switch("ModelStarted", change, bill_text(deps.is_billed), deps):
        deps.rekognition.start(state.arn, units, settings.maximum_inference_units)
    observe(change.version, ModelStatus.STARTING, units, deps)
    return ModelState("changing")


def _stop(change: StateChange, state: VersionState, deps: Deps) -> ModelState:
    look = deps.running.look(change.version)
    ran = deps.clock() - look.since if look and look.since else timedelta()
    bill = bill_text(deps.is_billed, ran.total_seconds() * state.units)
    with _switch("ModelStopped", change, bill, deps):
        deps.rekognition.stop(state.arn)
    observe(change.version, ModelStatus.STOPPING, state.units, deps)
    return ModelState("changing")


@contextmanager
def _switch(kind: str, change: StateChange, bill: str, deps: Deps) -> Iterator[None]:
    """Store the event of a start or stop; the next look that sees the change publishes it."""
    now = deps.clock()
    cause = f"{change.version}/{timestamp(now)}"
    switch = make_event(kind, cause, now, version=change.version, reason=change.reason, bill=bill)
    deps.running.prepare_switch(change.version, switch)
    try:
        yield
    except FinalError:
        deps.running.cancel_switch(change.version, switch)
        raise


def promote(name: str, reason: str, deps: Deps) -> str:
    """Put the version into service, once; returns the previous version."""
    version = deps.versions.get(name)
    service = deps.versions.service()
    if service.version == name:
        return service.previous
    now = deps.clock()
    cause = f"{name}/{service.version}/{service.since}"
    event = version_event(
        "VersionPromoted", cause, now, version, previous=service.version, reason=reason
    )
    deps.versions.promote(version, service, timestamp(now), reason, [event])
    return service.version


def request_approval(name: str, reason: str, token: str, deps: Deps) -> None:
    """Ask the operator to approve the version; `token` continues the state machine."""
    version, status = deps.versions.get(name), VersionStatus.WAITING_FOR_APPROVAL
    cause = f"{name}/{token}"
    event = version_event("ApprovalRequested", cause, deps.clock(), version, reason=reason)
    deps.versions.save(version, [event], status=status, reason=reason, approval_token=token)


def decide_approval(approved: bool, by: str, deps: Deps, version: str = "") -> Version:
    """Approve or reject the version that waits for it; raises InvalidRequest when none does."""
    waiting = [v for v in deps.versions.newest() if v.status == VersionStatus.WAITING_FOR_APPROVAL]
    if not waiting:
        raise InvalidRequest("No version waits for approval; 'loupe models' lists the versions.")
    if version not in ("", waiting[0].name):
        raise InvalidRequest(f"{waiting[0].name} waits for approval, and not {version}.")
    deps.executions.answer(waiting[0].approval_token, {"approved": approved, "by": by})
    return waiting[0]


def switch_service(running: bool, by: str, deps: Deps) -> ModelState:
    """Start or stop the version in service.

    Raises InvalidRequest when there is none, AlreadyDone when another request was faster.
    """
    version = deps.versions.service().version
    if not version:
        raise InvalidRequest("No version is in service yet: upload labelled images, then train.")
    target = ModelStatus.RUNNING if running else ModelStatus.STOPPED
    if running:
        deps.versions.forget_attempts()
    before = deps.rekognition.version(version).status
    try:
        state = set_state(StateChange(version, target, f"{by} asked for it"), deps)
    except TryAgain as error:
        if deps.rekognition.version(version).status == before:
            raise
        raise AlreadyDone(f"Another request has just started or stopped {version}.") from error
    if state.status == "failed":
        raise InvalidRequest(f"{version} cannot be started: {state.reason}.")
    return state


def why_not_started(deps: Deps) -> str:
    """Why Loupe no longer tries to start the version in service, in the service's words, or ""."""
    attempts = deps.versions.attempts()
    if attempts and attempts.given_up and attempts.version == deps.versions.service().version:
        return attempts.reason
    return ""
