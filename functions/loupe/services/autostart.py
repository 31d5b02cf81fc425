"""Start the model in service for a backlog, stop it when idle, and stop what nobody needs."""

from dataclasses import replace
from datetime import datetime
from itertools import islice

from loupe.domain.events import make_event
from loupe.domain.keys import timestamp
from loupe.domain.model_state import Attempts, ModelStatus, Switch, decide_model_state
from loupe.domain.versions import VersionStatus
from loupe.errors import ServiceRefused
from loupe.services.lookups import Lookups
from loupe.services.serving import StateChange, set_state
from loupe.telemetry import (
    logger,
)


def switch(now: Lookups) -> str:
    """Start the model in service for a backlog, stop it when idle."""
    if not now.service.version:
        return "leave"
    attempts, idle_minutes = _attempts(now), now.settings.idle_minutes
    decision = decide_model_state(
        status=now.state.status,
        backlog=sum(1 for _ in islice(now.deps.detections.waiting(page=1), 1)),
        idle_minutes=0 if idle_minutes and _needs_champion(now) else idle_minutes,
        last_used=_last_used(now),
        now=now.deps.clock(),
        attempts=attempts,
    )
    if decision.action == "start":
        _start(decision, attempts, now)
    elif decision.action == "stop":
        set_state(
            StateChange(now.service.version, ModelStatus.STOPPED, decision.reason), False, now.deps
        )
    elif decision.action == "give up":
        _give_up(attempts, now)
    return decision.action


def _attempts(now: Lookups) -> Attempts:
    """The attempts that count for this version and these units; none once it runs."""
    attempts = now.deps.versions.attempts()
    units = f"{now.settings.minimum_inference_units}-{now.settings.maximum_inference_units}"
    if now.state.status == ModelStatus.RUNNING:
        now.deps.versions.forget_attempts()
    elif attempts and (attempts.version, attempts.units) == (now.service.version, units):
        return attempts
    return Attempts(now.service.version, units, 0, now.deps.clock())


def _start(decision: Switch, attempts: Attempts, now: Lookups) -> None:
    """Write the attempt down first, so that one that ends in an error counts as well."""
    after = replace(attempts, count=attempts.count + 1, at=now.deps.clock())
    now.deps.versions.save_attempts(after)
    try:
        set_state(
            StateChange(attempts.version, ModelStatus.RUNNING, decision.reason), False, now.deps
        )
    except ServiceRefused as error:
        logger.warning("the service refuses to start the model", exc_info=error)
        now.deps.versions.save_attempts(replace(after, reason=str(error)))


def _give_up(attempts: Attempts, now: Lookups) -> None:
    """Tell the operator once; `loupe status` and the console go on saying so."""
    reason = attempts.reason or now.state.message or f"it is {now.state.status}"
    event = make_event(
        "ModelCannotStart",
        f"{attempts.version}/{timestamp(attempts.at)}",
        now.deps.clock(),
        version=attempts.version,
        count=attempts.count,
        reason=reason,
    )
    after = replace(attempts, reason=reason, given_up=True)
    now.deps.versions.save_attempts(after, [event])


def _needs_champion(now: Lookups) -> bool:
    """Whether a training run is at work, which may compare with the version in service."""
    if not now.improving:
        return False
    newest = next(now.deps.versions.newest(), None)
    return newest is None or newest.status != VersionStatus.WAITING_FOR_APPROVAL


def _last_used(now: Lookups) -> datetime:
    """When the model read an image last, took over, or was started, whichever is the latest."""
    look = now.deps.running.look(now.service.version)
    since = timestamp(look.since) if look and look.since else ""
    return datetime.fromisoformat(max(now.deps.detections.last_read_at(), now.service.since, since))


def stop_strays(now: Lookups) -> None:
    """Business rule: outside a training run only the version in service may run.

    A training run that was cut off leaves behind what it started, and that bills by the hour.
    """
    running = [name for name, state in now.states.items() if state.status == ModelStatus.RUNNING]
    strays = [name for name in running if name != now.service.version]
    if not strays or now.improving:
        return
    for name in strays:
        set_state(StateChange(name, ModelStatus.STOPPED, "it is not in service"), False, now.deps)


def record_hours(now: Lookups) -> None:
    """Count how long every version ran, those that ought not to run as well."""
    running, at = now.deps.running, now.deps.clock()
    looks = running.looks()
    for name, state in now.states.items():
        running.record(name, looks.get(name), at, state.status, state.units)
