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


def switch(run: Lookups) -> str:
    """Start the model in service for a backlog, stop it when idle."""
    if not run.service.version:
        return "leave"
    attempts, idle_minutes = _attempts(run), run.settings.idle_minutes
    decision = decide_model_state(
        status=run.state.status,
        backlog=sum(1 for _ in islice(run.deps.detections.waiting(page=1), 1)),
        idle_minutes=0 if idle_minutes and _needs_champion(run) else idle_minutes,
        last_used=_last_used(run),
        now=run.deps.clock(),
        attempts=attempts,
    )
    match decision.action:
        case "start":
            _start(decision, attempts, run)
        case "stop":
            _stop(run.service.version, decision.reason, run)
        case "give up":
            _give_up(attempts, run)
    return decision.action


def _attempts(run: Lookups) -> Attempts:
    """The attempts to start this version with these units since it last ran."""
    attempts = run.deps.versions.attempts()
    units = f"{run.settings.minimum_inference_units}-{run.settings.maximum_inference_units}"
    if run.state.status == ModelStatus.RUNNING:
        run.deps.versions.forget_attempts()
    elif attempts and (attempts.version, attempts.units) == (run.service.version, units):
        return attempts
    return Attempts(run.service.version, units, 0, run.deps.clock())


def _start(decision: Switch, attempts: Attempts, run: Lookups) -> None:
    """Write the attempt first, so that one that ends in an error counts as well."""
    attempts = replace(attempts, count=attempts.count + 1, at=run.deps.clock())
    run.deps.versions.save_attempts(attempts)
    try:
        change = StateChange(attempts.version, ModelStatus.RUNNING, decision.reason)
        set_state(change, run.deps)
    except ServiceRefused as error:
        logger.warning("the service refuses to start the model", exc_info=error)
        run.deps.versions.save_attempts(replace(attempts, reason=str(error)))


def _stop(version: str, reason: str, run: Lookups) -> None:
    set_state(StateChange(version, ModelStatus.STOPPED, reason), run.deps)


def _give_up(attempts: Attempts, run: Lookups) -> None:
    """Send the operator one event; `loupe status` and the console keep showing the reason."""
    reason = attempts.reason or run.state.message or f"it is {run.state.status}"
    event = make_event(
        "ModelCannotStart",
        f"{attempts.version}/{timestamp(attempts.at)}",
        run.deps.clock(),
        version=attempts.version,
        count=attempts.count,
        reason=reason,
    )
    after = replace(attempts, reason=reason, given_up=True)
    run.deps.versions.save_attempts(after, [event])


def _needs_champion(run: Lookups) -> bool:
    """Whether a training run is active and may compare with the version in service."""
    if not run.training_run_is_active:
        return False
    newest = next(run.deps.versions.newest(), None)
    return newest is None or newest.status != VersionStatus.WAITING_FOR_APPROVAL


def _last_used(run: Lookups) -> datetime:
    """The latest of three times: the model read an image, took over, or started."""
    look = run.deps.running.look(run.service.version)
    since = timestamp(look.since) if look and look.since else ""
    return datetime.fromisoformat(max(run.deps.detections.last_read_at(), run.service.since, since))


def stop_strays(run: Lookups) -> None:
    """Business rule: outside a training run only the version in service may run.

    A training run that was cut off leaves running models behind, which bill by the hour.
    """
    strays = [
        name
        for name, state in run.states.items()
        if state.status == ModelStatus.RUNNING and name != run.service.version
    ]
    if strays and not run.training_run_is_active:
        for name in strays:
            _stop(name, "it is not in service", run)


def record_hours(run: Lookups) -> None:
    """Record the running hours of every version, also of one that should not run."""
    running, at = run.deps.running, run.deps.clock()
    looks = running.looks()
    for name, state in run.states.items():
        running.record(name, looks.get(name), at, state.status, state.units)
