"""One training run: decide whether to train, train, and write how it ended."""

from dataclasses import asdict, dataclass

from loupe.domain import training
from loupe.domain.events import Event, make_event
from loupe.domain.failures import Failure
from loupe.domain.keys import timestamp
from loupe.domain.model_state import ModelStatus
from loupe.domain.settings import Settings
from loupe.domain.versions import Version, VersionStatus, version_event
from loupe.errors import AlreadyDone, NotFound
from loupe.services.events import announce
from loupe.telemetry import logger
from loupe.wiring import Deps


@dataclass(frozen=True)
class TrainingCheck:
    """Who checks, with which settings. `deploy` names a version to go back to; `again` repeats a
    failed attempt without its pause.
    """

    execution: str
    settings: Settings
    deploy: str = ""
    again: bool = False


def check_training(check: TrainingCheck, deps: Deps) -> training.Plan:
    """Plan the next step. Whoever gets a plan to act on holds the lease until `close_training`."""
    if not take_lease(check.execution, deps):
        return training.Plan("nothing", "another training check is at work")
    plan = plan_check(check, deps)
    if plan.action == "nothing":
        deps.versions.release_lease(check.execution)
        announce_postponed(plan, deps)
    elif plan.begins:
        begin(plan, deps)
    return plan


def is_training_run_active(deps: Deps) -> bool:
    """Whether a training run is at work, or waits for approval."""
    holder = deps.versions.lease_holder()
    return bool(holder) and deps.executions.is_running(holder)


def start_due_check(deps: Deps) -> bool:
    """Start a training run when a failed attempt is due again; returns whether it did.

    The schedule of training checks may be half a day away, or off: an attempt that has begun ends
    all the same.
    """
    last = deps.versions.last_attempt()
    is_due = last is not None and "" < last.retry_at <= timestamp(deps.clock())
    if is_due and not is_training_run_active(deps):
        deps.executions.start(deps.value("IMPROVE_MACHINE"), {})
        return True
    return False


def take_lease(execution: str, deps: Deps) -> bool:
    """Take the lease if nobody holds it, or if its holder does not run any more."""
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


def plan_check(check: TrainingCheck, deps: Deps) -> training.Plan:
    """The plan for the current state of the table."""
    if check.deploy:
        try:
            version = deps.versions.get(check.deploy)
        except NotFound as error:
            return training.Plan("nothing", str(error))
        return training.plan_rollback(version, deps.versions.service())
    return training.plan_training(
        deps.versions.progress(),
        deps.versions.last_attempt(),
        deps.dataset.label_counts().by_label,
        check.settings.minimum_untrained_images,
        check.settings.minimum_f1,
        timestamp(deps.clock()),
        check.again,
    )


def announce_postponed(plan: training.Plan, deps: Deps) -> None:
    """Send the operator one event a day about a training that waits for other images."""
    if plan.postponed:
        cause = f"{deps.clock():%Y-%m-%d}/{plan.reason}"
        announce("TrainingPostponed", cause, deps, reason=plan.reason)


def begin(plan: training.Plan, deps: Deps) -> None:
    """Write the new attempt before anything is paid for."""
    version = Version(
        name=plan.version,
        status=VersionStatus.TRAINING,
        at=timestamp(deps.clock()),
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
    """Start the training of `name` once; returns its progress."""
    state = deps.rekognition.version(name)
    version = deps.versions.get(name)
    match state.status:
        case "":
            return _start(version, deps)
        case ModelStatus.TRAINING_IN_PROGRESS:
            return TrainingProgress("training")
        case ModelStatus.TRAINING_FAILED:
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
    """The end of a training run: `outcome` is the version's status, `failure` the error that the
    run caught. `rollback`: the run put an earlier version back.
    """

    execution: str
    version: str
    outcome: VersionStatus
    reason: str
    rollback: bool
    failure: Failure | None = None


def close_training(end: TrainingEnd, deps: Deps) -> training.Ending:
    """Write the outcome once, then release the lease. Safe to repeat."""
    version = deps.versions.get(end.version)
    if end.rollback:
        ending = _close_rollback(version, end, deps)
    elif version.closed_by == end.execution:
        ending = training.Ending(version.status, version.reason, version.retry_at, version.failures)
    else:
        ending = training.end_attempt(
            end.outcome, end.reason, end.failure, version.failures, deps.clock()
        )
        _write(version, ending, end, deps)
    try:
        deps.versions.release_lease(end.execution)
    except AlreadyDone:
        logger.info("the lease had been released", extra={"execution": end.execution})
    return ending


def _write(version: Version, ending: training.Ending, end: TrainingEnd, deps: Deps) -> None:
    promoted = end.outcome == VersionStatus.IN_SERVICE
    events = [] if promoted else [_not_promoted(version, ending, end, deps)]
    changes = asdict(ending) | {"approval_token": "", "closed_by": end.execution}
    if ending.retry_at:
        deps.versions.save(version, events, **changes)
        return
    in_a_row = deps.versions.close(version, promoted, events, **changes)
    if in_a_row and in_a_row % training.STALL_AFTER == 0:
        minimum = deps.parameters.settings().minimum_untrained_images
        needed, cause = training.needed_changes(minimum, in_a_row), f"{version.name}/{in_a_row}"
        announce("PromotionsStalled", cause, deps, count=in_a_row, needed=needed)


def _close_rollback(version: Version, end: TrainingEnd, deps: Deps) -> training.Ending:
    """The version keeps its status; the operator gets an event when it was not put back."""
    ending = training.Ending(version.status, training.words_of(end.reason, end.failure))
    if end.outcome != VersionStatus.IN_SERVICE:
        deps.events.write(_not_promoted(version, ending, end, deps))
    return ending


def _not_promoted(version: Version, ending: training.Ending, end: TrainingEnd, deps: Deps) -> Event:
    training_failed = end.outcome == VersionStatus.TRAINING_FAILED
    return version_event(
        "TrainingFailed" if training_failed else "VersionNotPromoted",
        f"{version.name}/{end.outcome}/{end.execution}",
        deps.clock(),
        version,
        outcome=end.outcome,
        reason=ending.reason,
        retry_at=ending.retry_at,
        next=training.next_step(version.name, ending, end.outcome, end.rollback),
    )
