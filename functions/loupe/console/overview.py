"""The page Overview: how it goes, on one page."""

from datetime import datetime, timedelta
from typing import TypedDict, cast

from loupe.console.access import Role, User, current_user
from loupe.console.requests import Api
from loupe.domain.detection import DetectionState
from loupe.domain.review import ReviewState
from loupe.domain.running_hours import Cost
from loupe.domain.statistics import COUNTS
from loupe.domain.training import needed_changes
from loupe.services.serving import why_not_started
from loupe.services.status import Activity, activity, cost_of_models, next_check
from loupe.services.version_report import Score, compared, images_compared
from loupe.wiring import Deps, deps

DAYS = 14

router = Api()


class ServiceView(TypedDict):
    """The version in service. `settled` counts the queued reviews that it made needless;
    `cannot_start` is why Loupe has given up starting it, or "".
    """

    version: str
    f1: float | None
    since: str
    settled: int
    model_status: str
    units: int
    cannot_start: str


class Training(TypedDict):
    """What the next training check would decide, and why."""

    due: bool
    reason: str


class Compared(TypedDict):
    """Scores of the versions that were compared last, on the same test images, newest last."""

    images: int
    scores: list[Score]


class Hour(TypedDict):
    """What became of images in the hour that begins at `at`."""

    at: str
    accepted: int
    review: int
    answered: int
    unsure: int
    rejected: int
    failed: int
    samples: int
    agreed: int


class Overview(TypedDict):
    """How it goes; `hours` are those of the last 14 days in which anything happened."""

    service: ServiceView | None
    cost: Cost
    waiting: int
    open_reviews: int
    queued_reviews: int
    conflicts: int
    doing: Activity
    next_check: str | None
    new_labelled_images: int
    needed_to_train: int
    training: Training
    compared: Compared
    hours: list[Hour]


@router.offer("GET", "/me", *Role)
def me() -> User:
    """Who is signed in."""
    return current_user(router)


@router.offer("GET", "/overview", *Role)
def overview() -> Overview:
    """Everything that the page shows."""
    settings, progress = deps().parameters.settings(), deps().versions.progress()
    reviews = deps().reviews.counts()
    return {
        "service": _service(deps()),
        "cost": cost_of_models(deps()).rounded,
        "waiting": deps().detections.counts()[DetectionState.WAITING],
        "open_reviews": reviews[ReviewState.OPEN],
        "queued_reviews": reviews[ReviewState.QUEUED],
        "conflicts": reviews[ReviewState.CONFLICT],
        "doing": activity(deps()),
        "next_check": deps().schedules.next_run(deps().value("TRAINING_SCHEDULE"), deps().clock()),
        "new_labelled_images": progress.changes,
        "needed_to_train": needed_changes(settings.minimum_untrained_images, progress.not_promoted),
        "training": training(deps()),
        "compared": _compared(deps()),
        "hours": hours(deps(), deps().clock()),
    }


def hours(deps: Deps, now: datetime) -> list[Hour]:
    """The counts of the last days by the hour, oldest first, without hours that counted nothing."""
    days = [f"{now - timedelta(days=back):%Y-%m-%d}" for back in range(DAYS, -1, -1)]
    return [
        cast(Hour, {"at": f"{day}T{hour}:00:00.000Z", **{name: counts[name] for name in COUNTS}})
        for day in days
        for hour, counts in sorted(deps.events.hours(day).items())
    ]


def training(deps: Deps) -> Training:
    """Whether the next check trains, and why, or why not."""
    plan = next_check(deps)
    return {"due": plan.action == "train", "reason": plan.reason}


def _compared(deps: Deps) -> Compared:
    """The newest comparison: scores of the versions on the same test images."""
    newest = next((v for v in deps.versions.newest() if v.comparison), None)
    if newest is None:
        return {"images": 0, "scores": []}
    return {"images": images_compared(newest), "scores": compared(newest)}


def _service(deps: Deps) -> ServiceView | None:
    service = deps.versions.service()
    if not service.version:
        return None
    version, state = deps.versions.get(service.version), deps.rekognition.version(service.version)
    return {
        "version": service.version,
        "f1": version.f1,
        "since": service.since,
        "settled": version.settled,
        "model_status": state.status,
        "units": state.units,
        "cannot_start": why_not_started(deps),
    }
