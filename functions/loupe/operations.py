"""What an operator orders and asks, the same from the page and from the command."""

from collections.abc import Sequence
from dataclasses import dataclass

from loupe.adapters.setting_changes import SettingChange
from loupe.adapters.versions import Version
from loupe.domain.detection import WAITING
from loupe.domain.events import event
from loupe.domain.places import ImageRef, stamp
from loupe.domain.running_hours import RUNNING, Cost, cost
from loupe.domain.training import (
    IMPORTED,
    IN_SERVICE,
    RETIRED,
    TRAINING,
    WAITING_FOR_APPROVAL,
    Plan,
)
from loupe.errors import AlreadyDone, InvalidRequest, LoupeError, NotFound, TryAgain
from loupe.handlers.check_training import Request as CheckTraining
from loupe.handlers.check_training import decide
from loupe.handlers.run_model import STOPPED, Power, Request, bring
from loupe.settings import Setting, setting
from loupe.wiring import Deps

TRAINS = "TRAINING_IN_PROGRESS"


@dataclass(frozen=True)
class Doing:
    """What improves the model just now: `text` for people, `since` when ("" if nothing does)."""

    text: str
    since: str = ""
    waits_for_approval: str = ""


def doing(deps: Deps) -> Doing:
    """What the round of improvement that runs, if one does, is at."""
    newest = next(deps.versions.newest(), None)
    holder = deps.versions.lease_holder()
    if not holder or not deps.executions.is_running(holder):
        return Doing(f"Nothing: it waits for new labelled images{_last_outcome(newest)}")
    if newest and newest.status == WAITING_FOR_APPROVAL:
        return Doing(f"{newest.name} waits for approval", newest.at, newest.name)
    if newest and newest.status == TRAINING:
        trains = deps.rekognition.version(newest.name).status in ("", TRAINS)
        return Doing(f"{'Training' if trains else 'Trying out'} {newest.name}", newest.at)
    return Doing("Checking whether to train, or changing the version in service")


def _last_outcome(newest: Version | None) -> str:
    """Why the newest version is not in service, to be added to a sentence; "" if it is or was."""
    if newest is None or newest.status in (IN_SERVICE, RETIRED, IMPORTED):
        return ""
    return f"; {newest.name} did not go into service: {newest.reason}"


def next_check(deps: Deps) -> Plan:
    """What a training check would decide now, and why."""
    holder = deps.versions.lease_holder()
    if holder and deps.executions.is_running(holder):
        return Plan("nothing", "a round of improvement is at work")
    return decide(CheckTraining("", deps.parameters.settings()), deps)


def change_setting(name: str, value: str, by: str, deps: Deps) -> Setting:
    """Set a parameter and note who did; it takes effect by itself.

    Raises NotFound for a name that is no setting's, InvalidSetting for a value it does not take.
    """
    known = setting(name)
    version = deps.parameters.set(known.name, known.check(value))
    deps.setting_changes.note(known.name, SettingChange(by, stamp(deps.clock())), version)
    return known


def decide_approval(approved: bool, by: str, deps: Deps, version: str = "") -> Version:
    """Approve or refuse the version that waits for it; raises InvalidRequest when none does."""
    waiting = [v for v in deps.versions.newest() if v.status == WAITING_FOR_APPROVAL]
    if not waiting:
        raise InvalidRequest("No version waits for approval; 'loupe models' lists the versions.")
    if version not in ("", waiting[0].name):
        raise InvalidRequest(f"{waiting[0].name} waits for approval, and not {version}.")
    deps.executions.answer(waiting[0].approval_token, {"approved": approved, "by": by})
    return waiting[0]


def switch_service(wanted_running: bool, by: str, deps: Deps) -> Power:
    """Start or stop the version in service.

    Raises InvalidRequest when there is none, AlreadyDone when another order was faster.
    """
    version = deps.versions.service().version
    if not version:
        raise InvalidRequest("No version is in service yet: upload labelled images, then train.")
    wanted = RUNNING if wanted_running else STOPPED
    if wanted_running:
        deps.versions.forget_attempts()
    before = deps.rekognition.version(version).status
    try:
        power = bring(Request(version, wanted, f"{by} asked for it"), False, deps)
    except TryAgain as error:
        if deps.rekognition.version(version).status == before:
            raise
        raise AlreadyDone(f"{version} was started or stopped by another order just now.") from error
    if power.status == "failed":
        raise InvalidRequest(f"{version} cannot be started: {power.reason}.")
    return power


def read_again(image_ids: Sequence[str], by: str, deps: Deps) -> dict[str, str]:
    """Bring failed and rejected images back to be read; returns why not, by image id.

    An image that waits already is left alone. The records are written before the images are
    queued: what a crash leaves between the two waits, and the housekeeping queues it.
    """
    refused: dict[str, str] = {}
    waiting: list[ImageRef] = []
    for image_id in dict.fromkeys(image_ids):
        try:
            waiting += _bring_back(image_id, by, deps)
        except LoupeError as error:
            refused[image_id] = str(error)
    deps.queue.send(waiting)
    return refused


def _bring_back(image_id: str, by: str, deps: Deps) -> list[ImageRef]:
    before = deps.detections.get(image_id)
    if before is None:
        raise NotFound(f"There is no image {image_id!r}; 'loupe detections --json' lists them.")
    if before.state == WAITING:
        return []
    after = before.read_again()
    if not deps.objects.is_there(before.image):
        raise NotFound(
            f"{before.image.name!r} was deleted from the bucket: upload it to have it read."
        )
    asked = event(
        "ImageWaiting",
        f"{after.attempt}/read again",
        deps.clock(),
        about=before.image.id,
        image=before.image.name,
        key=before.image.key,
        label="nothing",
        labels=[],
        version="",
        reason=f"{by} asked for it, which was {before.state} ({before.reason})",
    )
    try:
        deps.detections.move(after, before.state, [asked])
    except AlreadyDone:
        return []  # Somebody else asked for it just now, and queues it.
    return [before.image]


def cost_of_models(deps: Deps) -> Cost:
    """What running versions cost, from how long the service said that they ran."""
    now = deps.clock()
    ran = [(day, seconds) for day, _, seconds in deps.running.ran(f"{now:%Y-%m}")]
    return cost(deps.is_billed, ran, deps.running.looks().values(), now)


def why_not_started(deps: Deps) -> str:
    """Why Loupe has given up starting the version in service, in the service's words, or ""."""
    attempts = deps.versions.attempts()
    service = deps.versions.service().version
    stands = attempts is not None and attempts.given_up and attempts.version == service
    return attempts.reason if attempts and stands else ""
