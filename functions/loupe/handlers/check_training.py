"""Decide whether to train, under a lease that only one run can hold."""

from dataclasses import asdict, dataclass
from typing import Any

from loupe.adapters.versions import Version
from loupe.correlation import correlated
from loupe.domain.events import event
from loupe.domain.places import stamp
from loupe.domain.training import (
    TRAINING,
    TRAINING_FAILED,
    Plan,
    plan_training,
)
from loupe.errors import AlreadyDone, NotFound
from loupe.settings import Settings
from loupe.wiring import Deps, deps


@dataclass(frozen=True)
class Request:
    """Who checks, with which settings; `deploy` names a version to go back to, `again` takes up a
    failed attempt without its pause."""

    execution: str
    settings: Settings
    deploy: str = ""
    again: bool = False


@correlated
def handler(payload: dict[str, Any], context: Any) -> dict[str, Any]:
    """`{"execution", "settings", "deploy"?, "again"?}` -> a plan."""
    request = Request(
        payload["execution"],
        Settings.from_parameters(payload["settings"]),
        payload.get("deploy", ""),
        payload.get("again", False),
    )
    return asdict(check(request, deps()))


def check(request: Request, deps: Deps) -> Plan:
    """Plan what to do. Whoever gets a plan to act on holds the lease until `close_training`."""
    if not take_lease(request.execution, deps):
        return Plan("nothing", "another training check is at work")
    plan = decide(request, deps)
    if plan.action == "nothing":
        deps.versions.release_lease(request.execution)
        tell_postponed(plan, deps)
    elif plan.begins:
        begin(plan, deps)
    return plan


def start_due_check(machine: str, deps: Deps) -> bool:
    """Begin a run of `machine` when a failed attempt is due again; returns whether it did.

    The schedule of training checks may be half a day away, or off: what was begun is brought to
    its end all the same.
    """
    last = deps.versions.last_attempt()
    if last is None or not last.retry_at or last.retry_at > stamp(deps.clock()):
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


def decide(request: Request, deps: Deps) -> Plan:
    """The plan for what the table says now."""
    if request.deploy:
        return _plan_rollback(request.deploy, deps)
    return plan_training(
        deps.versions.progress(),
        deps.versions.last_attempt(),
        deps.dataset.ledger().counts,
        request.settings.minimum_untrained_images,
        request.settings.minimum_f1,
        stamp(deps.clock()),
        request.again,
    )


def tell_postponed(plan: Plan, deps: Deps) -> None:
    """The operator hears once a day of a training that waits for other images."""
    if plan.postponed:
        now = deps.clock()
        cause = f"{now:%Y-%m-%d}/{plan.reason}"
        deps.table.write([], [event("TrainingPostponed", cause, now, reason=plan.reason)])


def _plan_rollback(name: str, deps: Deps) -> Plan:
    try:
        version = deps.versions.get(name)
    except NotFound as error:
        return Plan("nothing", str(error))
    if name == deps.versions.service().version:
        return Plan("nothing", f"{name} is in service already")
    if not version.arn or version.status in (TRAINING, TRAINING_FAILED):
        return Plan("nothing", f"{name} is {version.status} and cannot be put into service")
    return Plan("deploy", "an operator asked for it", name)


def begin(plan: Plan, deps: Deps) -> None:
    """Write the new attempt down before anything is paid for."""
    now = deps.clock()
    version = Version(
        name=plan.version,
        status=TRAINING,
        at=stamp(now),
        labels=plan.labels,
        reason=plan.reason,
        failures=plan.failures,
    )
    deps.versions.begin(version, int(plan.version.removeprefix("v")) - 1)
