"""Every minute: start or stop the model in service, and go on with what waits."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from loupe.adapters.detections import moved
from loupe.adapters.versions import Service
from loupe.domain.detection import REVIEW, WAITING
from loupe.domain.power import Switch, decide_power
from loupe.domain.review import COLD_START, OPEN, QUEUED, WITHDRAWN, Review
from loupe.errors import AlreadyDone
from loupe.handlers.request_review import known_labels, start_loop, take_over
from loupe.handlers.run_model import RUNNING, STOPPED, Request, bring
from loupe.settings import Settings
from loupe.telemetry import (
    IMAGES_WAITING,
    INFERENCE_UNITS,
    OLDEST_REVIEW_HOURS,
    logger,
    meter,
)
from loupe.wiring import Deps, deps

IMAGES_PER_RUN = 1000


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """A scheduled event -> `{"action", "queued", "opened"}`."""
    return keep_going(deps())


def keep_going(deps: Deps) -> dict[str, Any]:
    """One round of housekeeping. Each part looks at the state and is safe to repeat."""
    settings = deps.parameters.settings()
    service = deps.versions.service()
    if service.version:
        withdraw_cold_start(deps)
    action = switch(service, settings, deps).action if service.version else "leave"
    stop_strays(service, deps)
    queued, opened = queue_waiting(service, settings, deps), open_queued(settings, deps)
    start_loops(deps)
    measure(service, settings, deps)
    return {"action": action, "queued": queued, "opened": opened}


def measure(service: Service, settings: Settings, deps: Deps) -> None:
    """What the alarms and the dashboard look at: what waits, for how long, and what bills."""
    runs = bool(service.version) and deps.rekognition.version(service.version).status == RUNNING
    backlog = 0 if runs or not service.version else len(list(islice(deps.detections.waiting(), 99)))
    oldest = next(deps.reviews.oldest_open(page=1), None)
    waited = deps.clock() - datetime.fromisoformat(oldest.at) if oldest else timedelta()
    stack = deps.value("STACK")
    meter(stack, IMAGES_WAITING, backlog)
    meter(stack, OLDEST_REVIEW_HOURS, waited.total_seconds() / 3600)
    meter(stack, INFERENCE_UNITS, settings.minimum_inference_units if runs else 0)


def switch(service: Service, settings: Settings, deps: Deps) -> Switch:
    """Start the model for a backlog, stop it when idle."""
    last_used = max(deps.detections.last_read_at(), service.since)
    decision = decide_power(
        status=deps.rekognition.version(service.version).status,
        backlog=sum(1 for _ in islice(deps.detections.waiting(), 1)),
        idle_minutes=settings.idle_minutes,
        last_used=datetime.fromisoformat(last_used),
        now=deps.clock(),
    )
    wanted = {"start": RUNNING, "stop": STOPPED}.get(decision.action)
    if wanted:
        bring(Request(service.version, wanted, decision.reason), False, deps)
    return decision


def stop_strays(service: Service, deps: Deps) -> None:
    """Business rule: outside a round of improvement only the version in service may run.

    A round that was cut off leaves behind what it started, and that bills by the hour.
    """
    holder = deps.versions.lease_holder()
    if holder and deps.executions.is_running(holder):
        return
    for name, state in deps.rekognition.versions():
        if name != service.version and state.status == RUNNING:
            bring(Request(name, STOPPED, "it is not in service"), False, deps)


def queue_waiting(service: Service, settings: Settings, deps: Deps) -> int:
    """Queue images that wait, if they can be read now and the queue is done with the last ones."""
    if not _can_read(service, settings, deps) or not deps.queue.is_empty():
        return 0
    images = [found.image for found in islice(deps.detections.waiting(), IMAGES_PER_RUN)]
    deps.queue.send(images)
    return len(images)


def _can_read(service: Service, settings: Settings, deps: Deps) -> bool:
    if service.version:
        return deps.rekognition.version(service.version).status == RUNNING
    return settings.review and bool(known_labels(settings, deps))


def withdraw_cold_start(deps: Deps) -> None:
    """Business rule: the first model reads again what no person has looked at yet."""
    for review in list(deps.reviews.unanswered()):
        if review.purpose == COLD_START and not review.replies:
            _withdraw(review, deps)


def _withdraw(review: Review, deps: Deps) -> None:
    detection = deps.detections.get(review.image.id)
    if detection is None:
        raise LookupError(f"image {review.image.id} of review {review.id} has no record")
    waits = replace(detection, state=WAITING, review="", reason="the first model reads it")
    try:
        deps.reviews.move(replace(review, state=WITHDRAWN), review, moved(waits, [REVIEW]))
    except AlreadyDone:
        logger.info("somebody answers this review just now", extra={"review": review.id})
        return
    if deps.loops and review.loop:
        deps.loops.stop(review.loop)


def open_queued(settings: Settings, deps: Deps) -> int:
    """Open reviews that waited for a new day, the least sure image first."""
    queued = sorted(deps.reviews.newest(QUEUED), key=_sureness)
    opened = 0
    for review in queued:
        if not deps.reviews.take_place(f"{deps.clock():%Y-%m-%d}", settings.reviews_per_day):
            break
        try:
            deps.reviews.move(replace(review, state=OPEN), review)
        except AlreadyDone:
            logger.info("somebody answers this review just now", extra={"review": review.id})
        else:
            opened += 1
    return opened


def start_loops(deps: Deps) -> None:
    """Let Amazon A2I, where it asks people, ask for open reviews that no loop stands for yet.

    Those are the ones that have just got a place, whose loop could not be started or failed, and
    those from before HumanReview was changed to a2i. After the change back Loupe itself asks.
    """
    for review in deps.reviews.newest(OPEN):
        if deps.loops:
            start_loop(review, deps)
        elif review.loop:
            take_over(review, deps)


def _sureness(review: Review) -> float:
    return max((label.confidence for label in review.guess), default=0.0)
