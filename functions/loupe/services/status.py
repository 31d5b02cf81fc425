"""What Loupe does just now, what it does next, and what it costs."""

from dataclasses import dataclass

from loupe.domain.model_state import ModelStatus
from loupe.domain.running_hours import Cost, cost
from loupe.domain.training import Plan
from loupe.domain.versions import Version, VersionStatus
from loupe.services.training import TrainingCheck, plan_check
from loupe.wiring import Deps


@dataclass(frozen=True)
class Activity:
    """What improves the model just now: `text` for people, `since` when (None if nothing does)."""

    text: str
    since: str | None = None
    waits_for_approval: str = ""


def activity(deps: Deps) -> Activity:
    """What the round of improvement that runs, if one does, is at."""
    newest = next(deps.versions.newest(), None)
    holder = deps.versions.lease_holder()
    if not holder or not deps.executions.is_running(holder):
        return Activity(f"Nothing: it waits for new labelled images{_last_outcome(newest)}")
    if newest and newest.status == VersionStatus.WAITING_FOR_APPROVAL:
        return Activity(f"{newest.name} waits for approval", newest.at, newest.name)
    if newest and newest.status == VersionStatus.TRAINING:
        trains = deps.rekognition.version(newest.name).status in (
            "",
            ModelStatus.TRAINING_IN_PROGRESS,
        )
        return Activity(f"{'Training' if trains else 'Trying out'} {newest.name}", newest.at)
    return Activity("Checking whether to train, or changing the version in service")


def _last_outcome(newest: Version | None) -> str:
    """Why the newest version is not in service, to be added to a sentence; "" if it is or was."""
    if newest is None or newest.status in (
        VersionStatus.IN_SERVICE,
        VersionStatus.REPLACED,
        VersionStatus.IMPORTED,
    ):
        return ""
    return f"; {newest.name} did not go into service: {newest.reason}"


def next_check(deps: Deps) -> Plan:
    """What a training check would decide now, and why."""
    holder = deps.versions.lease_holder()
    if holder and deps.executions.is_running(holder):
        return Plan("nothing", "a round of improvement is at work")
    return plan_check(TrainingCheck("", deps.parameters.settings()), deps)


def cost_of_models(deps: Deps) -> Cost:
    """What running versions cost, from how long the service said that they ran."""
    now = deps.clock()
    ran = [(day, seconds) for day, _, seconds in deps.running.ran(f"{now:%Y-%m}")]
    return cost(deps.is_billed, ran, deps.running.looks().values(), now)
