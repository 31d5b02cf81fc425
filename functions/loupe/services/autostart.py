"""Start the model in service for a backlog, stop it when idle, and stop every other model."""

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
from loupe.telemetry import logger


def switch(lookups: Lookups) -> str:
    """Start the model in service for a backlog, stop it when idle."""
    if not lookups.service.version:
        return "leave"
    attempts, idle_minutes = _attempts(lookups), lookups.settings.idle_minutes
    decision = decide_model_state(
        status=lookups.state.status,
        backlog=sum(1 for _ in islice(lookups.deps.detections.waiting(page=1), 1)),
        idle_minutes=0 if idle_minutes and _needs_champion(lookups) else idle_minutes,
        last_used=_last_used(lookups),
        now=lookups.deps.clock(),
        attempts=attempts,
    )
    match decision.action:
        case "start":
            _start(decision, attempts, lookups)
        case "stop":
            _stop(lookups.service.version, decision.reason, lookups)
        case "give up":
            _give_up(attempts, lookups)
    return decision.action


def _attempts(lookups: Lookups) -> Attempts:
    """The attempts to start this version with these units since it last ran."""
    attempts = lookups.deps.versions.attempts()
    units = f"{lookups.settings.minimum_inference_units}-{lookups.settings.maximum_inference_units}"
    if lookups.state.status == ModelStatus.RUNNING:
        lookups.deps.versions.forget_attempts()
    elif attempts and (attempts.version, attempts.units) == (lookups.service.version, units):
        return attempts
    return Attempts(lookups.service.version, units, 0, lookups.deps.clock())


def _start(decision: Switch, attempts: Attempts, lookups: Lookups) -> None:
    """Write the attempt first, so that one that ends in an error counts as well."""
    attempts = replace(attempts, count=attempts.count + 1, at=lookups.deps.clock())
    lookups.deps.versions.save_attempts(attempts)
    try:
        change = StateChange(attempts.version, ModelStatus.RUNNING, decision.reason)
        set_state(change, lookups.deps)
    except ServiceRefused as error:
        logger.warning("the service refuses to start the model", exc_info=error)
        lookups.deps.versions.save_attempts(replace(attempts, reason=str(error)))


def _stop(version: str, reason: str, lookups: Lookups) -> None:
    set_state(StateChange(version, ModelStatus.STOPPED, reason), lookups.deps)


def _give_up(attempts: Attempts, lookups: Lookups) -> None:
    """Send the operator one event; `loupe status` and the console keep showing the reason."""
    reason = attempts.reason or lookups.state.message or f"it is {lookups.state.status}"
    event = make_event(
        "ModelCannotStart",
        f"{attempts.version}/{timestamp(attempts.at)}",
        lookups.deps.clock(),
        version=attempts.version,
        count=attempts.count,
        reason=reason,
    )
    after = replace(attempts, reason=reason, given_up=True)
    lookups.deps.versions.save_attempts(after, [event])


def _needs_champion(lookups: Lookups) -> bool:
    """Whether a training run is active and may compare with the version in service."""
    if not lookups.training_run_is_active:
        return False
    newest = next(lookups.deps.versions.newest(), None)
    return newest is None or newest.status != VersionStatus.WAITING_FOR_APPROVAL


def _last_used(lookups: Lookups) -> datetime:
    """The latest of three times: the model read an image, took over, or started."""
    look = lookups.deps.running.look(lookups.service.version)
    since = timestamp(look.since) if look and look.since else ""
    return datetime.fromisoformat(
        max(lookups.deps.detections.last_read_at(), lookups.service.since, since)
    )


def stop_strays(lookups: Lookups) -> None:
    """Business rule: outside a training run only the version in service may run.

    A training run that was cut off leaves running models behind, which bill by the hour.
    """
    strays = [
        name
        for name, state in lookups.states.items()
        if state.status == ModelStatus.RUNNING and name != lookups.service.version
    ]
    if strays and not lookups.training_run_is_active:
        for name in strays:
            _stop(name, "it is not in service", lookups)


def record_hours(lookups: Lookups) -> None:
    """Record the running hours of every version, also of one that should not run."""
    running, at = lookups.deps.running, lookups.deps.clock()
    looks = running.looks()
    for name, state in lookups.states.items():
        running.record(name, looks.get(name), at, state.status, state.units)
