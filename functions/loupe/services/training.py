"""One training run: decide whether to train, train, and write how it ended."""

from dataclasses import asdict, dataclass

from loupe.domain.events import Event, make_event
from loupe.domain.failures import Failure
from loupe.domain.keys import timestamp
from loupe.domain.model_state import ModelStatus
from loupe.domain.settings import Settings
from loupe.domain.training import (
    STALL_AFTER,
    Ending,
    Plan,
    end_attempt,
    needed_changes,
    plan_training,
    words_of,
)
from loupe.domain.versions import Version, VersionStatus
from loupe.errors import AlreadyDone, NotFound
from loupe.telemetry import logger
from loupe.wiring import Deps


@dataclass(frozen=True)
class TrainingCheck:
    """Who checks, with which settings; `deploy` names a version to go back to, `again` takes up a
    failed attempt without its pause."""

    execution: str
    settings: Settings
    deploy: str = ""
    again: bool = False


def check_training(request: TrainingCheck, deps: Deps) -> Plan:
    """Plan what to do. Whoever gets a plan to act on holds the lease until `close_training`."""
    if not take_lease(request.execution, deps):
        return Plan("nothing", "another training check is at work")
    plan = plan_check(request, deps)
    if plan.action == "nothing":
        deps.versions.release_lease(request.execution)
        announce_postponed(plan, deps)
    elif plan.begins:
        begin(plan, deps)
    return plan


def start_due_check(machine: str, deps: Deps) -> bool:
    """Begin a run of `machine` when a failed attempt is due again; returns whether it did.

    The schedule of training checks may be half a day away, or off: what was begun is brought to
    its end all the same.
    """
    last = deps.versions.last_attempt()
    if last is None or not last.retry_at or last.retry_at > timestamp(deps.clock()):
        return False
    holder = deps.versions.lease_holder()
    if holder and deps.executions.is_running(holder):
        return False
    deps.executions.start(machine, {})
    return True


def take_lease(execution: str, deps: Deps) -> bool:
    """Take the lease if nobody holds it, or if whoever does is not running any more."""
    holder = deps.versions.lease_holder()
    if holder == execution:
        return True
    if holder and deps.executions.is_running(holder):
        return False
    try:
        deps.versions.take_lease(execution, over=holder)
    except AlreadyDone:
        return False
    return True


def plan_check(request: TrainingCheck, deps: Deps) -> Plan:
    """The plan for what the table says now."""
    if request.deploy:
        return _plan_rollback(request.deploy, deps)
    return plan_training(
        deps.versions.progress(),
        deps.versions.last_attempt(),
        deps.dataset.label_counts().by_label,
        request.settings.minimum_untrained_images,
        request.settings.minimum_f1,
        timestamp(deps.clock()),
        request.again,
    )


def announce_postponed(plan: Plan, deps: Deps) -> None:
    """The operator hears once a day of a training that waits for other images."""
    if plan.postponed:
        now = deps.clock()
        cause = f"{now:%Y-%m-%d}/{plan.reason}"
        deps.events.write(make_event("TrainingPostponed", cause, now, reason=plan.reason))


def _plan_rollback(name: str, deps: Deps) -> Plan:
    try:
        version = deps.versions.get(name)
    except NotFound as error:
        return Plan("nothing", str(error))
    if name == deps.versions.service().version:
        return Plan("nothing", f"{name} is in service already")
    if not version.arn or version.status in (VersionStatus.TRAINING, VersionStatus.TRAINING_FAILED):
        return Plan("nothing", f"{name} is {version.status} and cannot be put into service")
    return Plan("deploy", "an operator asked for it", name)


def begin(plan: Plan, deps: Deps) -> None:
    """Write the new attempt down before anything is paid for."""
    now = deps.clock()
    version = Version(
        name=plan.version,
        status=VersionStatus.TRAINING,
        at=timestamp(now),
        labels=plan.labels,
        reason=plan.reason,
        failures=plan.failures,
    )
    deps.versions.begin(version, int(plan.version.removeprefix("v")) - 1)


@dataclass(frozen=True)
class TrainingProgress:
    """`status` is "training", "trained" or "failed"; `f1` the service's own, once trained."""

    status: str
    f1: float = 0.0
    reason: str = ""


def train(name: str, deps: Deps) -> TrainingProgress:
    """Start the training of `name` unless it was started, and say how it goes."""
    state = deps.rekognition.version(name)
    version = deps.versions.get(name)
    if not state.status:
        return _start(version, deps)
    if state.status == ModelStatus.TRAINING_IN_PROGRESS:
        return TrainingProgress("training")
    if state.status == ModelStatus.TRAINING_FAILED:
        return TrainingProgress("failed", reason=state.message or "the service gave no reason")
    if version.f1 is None or version.arn != state.arn:
        deps.versions.save(version, f1=state.f1 or 0.0, arn=state.arn)
    return TrainingProgress("trained", state.f1 or 0.0)


def _start(version: Version, deps: Deps) -> TrainingProgress:
    arn = deps.rekognition.train(version.name, deps.objects.bucket)
    event = make_event(
        "TrainingStarted",
        version.name,
        deps.clock(),
        version=version.name,
        training_images=version.training_images,
        holdout_images=version.holdout_images,
        labels=list(version.labels),
        reason=version.reason,
    )
    deps.versions.save(version, [event], arn=arn)
    return TrainingProgress("training")


@dataclass(frozen=True)
class TrainingEnd:
    """`outcome` is a version's status, `failure` what the run caught, if it caught anything.

    `rollback`: the run put an earlier version back.
    """

    execution: str
    version: str
    outcome: VersionStatus
    reason: str
    rollback: bool
    failure: Failure | None = None


def close_training(request: TrainingEnd, deps: Deps) -> Ending:
    """Write the outcome once, then release the lease. Safe to repeat."""
    version = deps.versions.get(request.version)
    if request.rollback:
        ending = _close_rollback(version, request, deps)
    elif version.closed_by == request.execution:
        ending = Ending(version.status, version.reason, version.retry_at, version.failures)
    else:
        ending = end_attempt(
            request.outcome, request.reason, request.failure, version.failures, deps.clock()
        )
        _write(version, ending, request, deps)
    try:
        deps.versions.release_lease(request.execution)
    except AlreadyDone:
        logger.info("the lease had been released", extra={"execution": request.execution})
    return ending


def _write(version: Version, ending: Ending, request: TrainingEnd, deps: Deps) -> None:
    promoted = request.outcome == VersionStatus.IN_SERVICE
    events = [] if promoted else [_not_promoted(version, ending, request, deps)]
    changes = asdict(ending) | {"approval_token": "", "closed_by": request.execution}
    if ending.retry_at:
        deps.versions.save(version, events, **changes)
        return
    in_a_row = deps.versions.close(version, promoted, events, **changes)
    if in_a_row and in_a_row % STALL_AFTER == 0:
        _announce_stall(version, in_a_row, deps)


def _close_rollback(version: Version, request: TrainingEnd, deps: Deps) -> Ending:
    """A version that could not be put back keeps its status, and the operator hears why."""
    ending = Ending(version.status, words_of(request.reason, request.failure))
    if request.outcome != VersionStatus.IN_SERVICE:
        deps.events.write(_not_promoted(version, ending, request, deps))
    return ending


def _announce_stall(version: Version, in_a_row: int, deps: Deps) -> None:
    minimum = deps.parameters.settings().minimum_untrained_images
    stalled = make_event(
        "PromotionsStalled",
        f"{version.name}/{in_a_row}",
        deps.clock(),
        count=in_a_row,
        needed=needed_changes(minimum, in_a_row),
    )
    deps.events.write(stalled)


def _not_promoted(version: Version, ending: Ending, request: TrainingEnd, deps: Deps) -> Event:
    kind = (
        "TrainingFailed"
        if request.outcome == VersionStatus.TRAINING_FAILED
        else "VersionNotPromoted"
    )
    return make_event(
        kind,
        f"{version.name}/{request.outcome}/{request.execution}",
        deps.clock(),
        version=version.name,
        f1=version.f1,
        outcome=request.outcome,
        reason=ending.reason,
        retry_at=ending.retry_at,
        next=_next_step(ending, request),
    )


def _next_step(ending: Ending, request: TrainingEnd) -> str:
    if ending.retry_at:
        return f"It is tried again after {ending.retry_at}, or at once with 'loupe train --again'."
    if request.rollback:
        return f"'loupe rollback {request.version}' tries it once more."
    if request.outcome == VersionStatus.TRAINING_FAILED:
        return "The next training starts when there are enough new labelled images."
    return "'loupe models' lists every version with its reason."
