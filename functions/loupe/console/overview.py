"""The page Overview: how it goes, on one page."""

from datetime import datetime, timedelta
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from loupe.console.access import ROLES, current_user, only
from loupe.domain.detection import DetectionState
from loupe.domain.review import ReviewState
from loupe.domain.statistics import COUNTS
from loupe.domain.training import needed_changes
from loupe.services.serving import why_not_started
from loupe.services.status import activity, cost_of_models, next_check
from loupe.services.version_report import compared, images_compared
from loupe.wiring import Deps, deps

DAYS = 14

router = Router()


@router.get("/me", middlewares=only(*ROLES))
def me() -> dict[str, Any]:
    """Who is signed in."""
    user = current_user(router)
    return {"name": user.name, "roles": list(user.roles)}


@router.get("/overview", middlewares=only(*ROLES))
def overview() -> dict[str, Any]:
    """Everything that the page shows."""
    settings, progress = deps().parameters.settings(), deps().versions.progress()
    reviews = deps().reviews.counts()
    return {
        "service": _service(deps()),
        "cost": cost_of_models(deps()).as_json(),
        "waiting": deps().detections.counts()[DetectionState.WAITING],
        "open_reviews": reviews[ReviewState.OPEN],
        "conflicts": reviews[ReviewState.CONFLICT],
        "doing": _doing(deps()),
        "next_check": deps().schedules.next_run(deps().value("TRAINING_SCHEDULE"), deps().clock()),
        "new_labelled_images": progress.changes,
        "needed_to_train": needed_changes(settings.minimum_untrained_images, progress.not_promoted),
        "training": training(deps()),
        "compared": _compared(deps()),
        "hours": hours(deps(), deps().clock()),
    }


def hours(deps: Deps, now: datetime) -> list[dict[str, Any]]:
    """The counts of the last days by the hour, oldest first, without hours that counted nothing."""
    days = [f"{now - timedelta(days=back):%Y-%m-%d}" for back in range(DAYS, -1, -1)]
    return [
        {"at": f"{day}T{hour}:00:00.000Z", **{name: counts[name] for name in COUNTS}}
        for day in days
        for hour, counts in sorted(deps.events.hours(day).items())
    ]


def training(deps: Deps) -> dict[str, Any]:
    """Whether the next check trains, and why, or why not."""
    plan = next_check(deps)
    return {"due": plan.action == "train", "reason": plan.reason}


def _compared(deps: Deps) -> dict[str, Any]:
    """The newest comparison: scores of the versions on the same test images."""
    newest = next((v for v in deps.versions.newest() if v.comparison), None)
    if newest is None:
        return {"images": 0, "scores": []}
    return {"images": images_compared(newest), "scores": compared(newest)}


def _service(deps: Deps) -> dict[str, Any] | None:
    service = deps.versions.service()
    if not service.version:
        return None
    state = deps.rekognition.version(service.version)
    return {
        "version": service.version,
        "f1": deps.versions.get(service.version).f1,
        "since": service.since,
        "model_status": state.status,
        "units": state.units,
        "cannot_start": why_not_started(deps),
    }


def _doing(deps: Deps) -> dict[str, Any]:
    now = activity(deps)
    return {
        "text": now.text,
        "since": now.since or None,
        "waits_for_approval": now.waits_for_approval,
    }
