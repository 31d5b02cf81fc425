"""What Loupe does now, what it does next, and what it costs."""

from dataclasses import dataclass

from loupe.domain.model_state import ModelStatus
from loupe.domain.running_hours import Cost, cost
from loupe.domain.training import Plan
from loupe.domain.versions import Version, VersionStatus
from loupe.services.training import TrainingCheck, is_training_run_active, plan_check
from loupe.wiring import Deps

WAS_IN_SERVICE = (VersionStatus.IN_SERVICE, VersionStatus.REPLACED, VersionStatus.IMPORTED)


@dataclass(frozen=True)
class Activity:
    """What improves the model now: `text` for people, `since` when (None if nothing does)."""

    text: str
    since: str | None = None
    waits_for_approval: str = ""


def activity(deps: Deps) -> Activity:
    """What the active training run does, if there is one."""
    newest = next(deps.versions.newest(), None)
    if not is_training_run_active(deps):
        return Activity(f"Nothing: it waits for new labelled images{_last_outcome(newest)}")
    if newest and newest.status == VersionStatus.WAITING_FOR_APPROVAL:
        return Activity(f"{newest.name} waits for approval", newest.at, newest.name)
    if newest and newest.status == VersionStatus.TRAINING:
        status = deps.rekognition.version(newest.name).status
        trains = status in ("", ModelStatus.TRAINING_IN_PROGRESS)
        return Activity(f"{'Training' if trains else 'Trying out'} {newest.name}", newest.at)
    return Activity("Checking whether to train, or changing the version in service")


def _last_outcome(newest: Version | None) -> str:
    """Why the newest version is not in service, to end a sentence; "" if it is or was."""
    if newest is None or newest.status in WAS_IN_SERVICE:
        return ""
    return f"; {newest.name} did not go into service: {newest.reason}"


def next_check(deps: Deps) -> Plan:
    """What a training check decides now, and why."""
    if is_training_run_active(deps):
        return Plan("nothing", "a training run is active")
    return plan_check(TrainingCheck("", deps.parameters.settings()), deps)


def cost_of_models(deps: Deps) -> Cost:
    """What running versions cost this month, from their running hours."""
    now = deps.clock()
    ran = [(day, seconds) for day, _, seconds in deps.running.ran(f"{now:%Y-%m}")]
    return cost(deps.is_billed, ran, deps.running.looks().values(), now)
