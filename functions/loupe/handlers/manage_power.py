"""Every minute: start or stop the model in service, and go on with what waits."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from loupe.adapters.detections import moved
from loupe.adapters.earlier_conflicts import EarlierConflicts
from loupe.adapters.faults import is_passing
from loupe.adapters.table import save
from loupe.domain.detection import REVIEW, WAITING
from loupe.domain.events import event
from loupe.domain.places import stamp
from loupe.domain.power import Attempts, Switch, decide_power
from loupe.domain.review import COLD_START, OPEN, QUEUED, WITHDRAWN, Review
from loupe.domain.running_hours import RUNNING
from loupe.domain.training import WAITING_FOR_APPROVAL
from loupe.errors import AlreadyDone, LoupeError, ServiceRefused
from loupe.handlers.answer_review import hand_over_again
from loupe.handlers.check_training import start_due_check
from loupe.handlers.compare_models import return_champion
from loupe.handlers.request_review import follow_loops, known_labels, open_queued, start_loops
from loupe.handlers.run_model import STOPPED, Request, bring
from loupe.housekeeping import Round
from loupe.telemetry import (
    HOUSEKEEPING_FAILED,
    IMAGES_WAITING,
    INFERENCE_UNITS,
    OLDEST_REVIEW_HOURS,
    logger,
    meter,
)
from loupe.wiring import Deps, deps

IMAGES_PER_RUN = 1000
QUEUEING = timedelta(seconds=30)
"""So long the queue may go on looking empty to other runs after images were sent to it."""
REVIEWS_PER_RUN = 500
RECORDS_PER_RUN = 1000
PAGE = 100
LATE = timedelta(minutes=15)
"""So long after the first model took over, an image that it was not asked about may still go to
review: its state machine had begun before."""


class HousekeepingFailed(LoupeError):
    """Some parts of the housekeeping failed; the others were done."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """A scheduled event -> `{"action", "queued", "opened"}`."""
    return keep_going(deps())


def keep_going(deps: Deps) -> dict[str, Any]:
    """One round of housekeeping. Each part looks at the state and is safe to repeat.

    A part that fails does not keep the others from their work. A passing fault is left to the next
    minute; for anything else HousekeepingFailed is raised at the end, and names the parts. Both are
    metered: a fault that ought to pass and lasts is seen by that.
    """
    now = Round(deps)
    done: dict[str, Any] = {}
    errors: dict[str, Exception] = {}
    for name, part in PARTS.items():
        try:
            done[name] = part(now)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other parts go on
            logger.warning("a part of the housekeeping failed", exc_info=error, part=name)
            errors[name] = error
    meter(deps.value("STACK"), HOUSEKEEPING_FAILED, len(errors))
    raise_lasting(errors)
    return {
        "action": done.get("power", "leave"),
        "queued": done.get("waiting images", 0),
        "opened": done.get("queued reviews", 0),
    }


def raise_lasting(errors: Mapping[str, Exception]) -> None:
    """Raise HousekeepingFailed for the parts whose error does not pass by itself, if there are."""
    failed = [
        f"{name} ({type(error).__name__}: {error})"
        for name, error in errors.items()
        if not is_passing(error)
    ]
    if failed:
        raise HousekeepingFailed(f"These parts failed: {'; '.join(failed)}.")


def record_hours(now: Round) -> None:
    """Count how long every version ran, those that ought not to run as well."""
    running, at = now.deps.running, now.deps.clock()
    looks = running.looks()
    for name, state in now.states.items():
        running.record(name, looks.get(name), at, state.status, state.units)


def switch(now: Round) -> str:
    """Start the model in service for a backlog, stop it when idle."""
    if not now.service.version:
        return "leave"
    attempts, idle_minutes = _attempts(now), now.settings.idle_minutes
    decision = decide_power(
        status=now.state.status,
        backlog=sum(1 for _ in islice(now.deps.detections.waiting(page=1), 1)),
        idle_minutes=0 if idle_minutes and _needs_champion(now) else idle_minutes,
        last_used=_last_used(now),
        now=now.deps.clock(),
        attempts=attempts,
    )
    if decision.action == "start":
        _start(decision, attempts, now)
    elif decision.action == "stop":
        bring(Request(now.service.version, STOPPED, decision.reason), False, now.deps)
    elif decision.action == "give up":
        _give_up(attempts, now)
    return decision.action


def _attempts(now: Round) -> Attempts:
    """The attempts that count for this version and these units; none once it runs."""
    attempts = now.deps.versions.attempts()
    units = f"{now.settings.minimum_inference_units}-{now.settings.maximum_inference_units}"
    if now.state.status == RUNNING:
        now.deps.versions.forget_attempts()
    elif attempts and (attempts.version, attempts.units) == (now.service.version, units):
        return attempts
    return Attempts(now.service.version, units, 0, now.deps.clock())


def _start(decision: Switch, attempts: Attempts, now: Round) -> None:
    """Write the attempt down first, so that one that ends in an error counts as well."""
    after = replace(attempts, count=attempts.count + 1, at=now.deps.clock())
    now.deps.versions.save_attempts(after)
    try:
        bring(Request(attempts.version, RUNNING, decision.reason), False, now.deps)
    except ServiceRefused as error:
        logger.warning("the service refuses to start the model", exc_info=error)
        now.deps.versions.save_attempts(replace(after, reason=str(error)))


def _give_up(attempts: Attempts, now: Round) -> None:
    """Tell the operator once; `loupe status` and the console go on saying so."""
    reason = attempts.reason or now.state.message or f"it is {now.state.status}"
    told = event(
        "ModelCannotStart",
        f"{attempts.version}/{stamp(attempts.at)}",
        now.deps.clock(),
        version=attempts.version,
        count=attempts.count,
        reason=reason,
    )
    after = replace(attempts, reason=reason, given_up=True)
    now.deps.versions.save_attempts(after, [told])


def _needs_champion(now: Round) -> bool:
    """Whether a round of improvement is at work, which may compare with the version in service."""
    if not now.improving:
        return False
    newest = next(now.deps.versions.newest(), None)
    return newest is None or newest.status != WAITING_FOR_APPROVAL


def _last_used(now: Round) -> datetime:
    """When the model read an image last, took over, or was started, whichever is the latest."""
    look = now.deps.running.look(now.service.version)
    since = stamp(look.since) if look and look.since else ""
    return datetime.fromisoformat(max(now.deps.detections.last_read_at(), now.service.since, since))


def stop_strays(now: Round) -> None:
    """Business rule: outside a round of improvement only the version in service may run.

    A round that was cut off leaves behind what it started, and that bills by the hour.
    """
    running = [name for name, state in now.states.items() if state.status == RUNNING]
    strays = [name for name in running if name != now.service.version]
    if not strays or now.improving:
        return
    for name in strays:
        bring(Request(name, STOPPED, "it is not in service"), False, now.deps)


def queue_waiting(now: Round) -> int:
    """Queue images that wait, if they can be read now and the queue is done with the last ones."""
    if not _can_read(now) or not now.deps.queue.is_empty():
        return 0
    waiting = now.deps.detections.waiting(page=IMAGES_PER_RUN)
    images = [detection.image for detection in islice(waiting, IMAGES_PER_RUN)]
    if not images or not now.deps.turns.take("waiting images", now.deps.clock(), QUEUEING):
        return 0
    now.deps.queue.send(images)
    return len(images)


def _can_read(now: Round) -> bool:
    if now.service.version:
        return now.state.status == RUNNING
    return now.settings.review and bool(known_labels(now.settings, now.deps))


def withdraw_cold_start(now: Round) -> None:
    """Business rule: the first model reads again what no person has looked at yet.

    The reviews of that time are gone through once, queued ones first because they may be opened
    meanwhile. What was written in the last minutes is gone through again until all is in order.
    """
    done = now.deps.table.get("STATE", "COLD_START") or {QUEUED: "", OPEN: "", "done": False}
    if not now.service.version or done["done"]:
        return
    clock = now.deps.clock()
    at_end = all(_withdraw_from(state, done, clock, now.deps) for state in (QUEUED, OPEN))
    finished = at_end and clock - datetime.fromisoformat(now.service.since) >= LATE
    now.deps.table.write([save({"pk": "STATE", "sk": "COLD_START", **done, "done": finished})])


def _withdraw_from(state: str, pointers: dict[str, Any], clock: datetime, deps: Deps) -> bool:
    """Go on behind the state's pointer and move it; returns whether the end was reached."""
    reviews = list(islice(deps.reviews.oldest(state, pointers[state], PAGE), REVIEWS_PER_RUN))
    for review in reviews:
        if review.purpose == COLD_START and not review.replies:
            _withdraw(review, deps)
    if reviews:
        pointers[state] = min(reviews[-1].position, stamp(clock - LATE))
    return len(reviews) < REVIEWS_PER_RUN


def _withdraw(review: Review, deps: Deps) -> None:
    detection = deps.detections.get(review.image.id)
    if detection is None:
        raise LookupError(f"image {review.image.id} of review {review.id} has no record")
    waits = replace(detection, state=WAITING, review="", reason="the first model reads it")
    try:
        deps.reviews.move(replace(review, state=WITHDRAWN), review, moved(waits, REVIEW))
    except AlreadyDone:
        logger.info("somebody answers this review just now", extra={"review": review.id})
        return
    if deps.loops and review.loop:
        deps.loops.stop(review.loop)


def open_earlier_conflicts(deps: Deps) -> int:
    """Open conflicts for pictures under two labels of which an earlier release opened none."""
    earlier = EarlierConflicts(deps.table, deps.objects.bucket)
    return earlier.open(deps.clock(), RECORDS_PER_RUN)


def measure_reviews(now: Round) -> None:
    """What the alarms and the dashboard look at: how long people are waited for."""
    oldest = next(now.deps.reviews.oldest_open(page=1), None)
    at = now.deps.clock()
    waited = at - datetime.fromisoformat(oldest.at) if oldest else timedelta()
    meter(now.deps.value("STACK"), OLDEST_REVIEW_HOURS, waited.total_seconds() / 3600)


def measure_model(now: Round) -> None:
    """What the alarms and the dashboard look at: what waits for the model, and what bills."""
    stack = now.deps.value("STACK")
    meter(stack, IMAGES_WAITING, _backlog(now))
    running = (state.units for state in now.states.values() if state.status == RUNNING)
    meter(stack, INFERENCE_UNITS, sum(running))


def _backlog(now: Round) -> int:
    """Images that wait for a model that does not run."""
    if not now.service.version or now.state.status == RUNNING:
        return 0
    return now.deps.detections.counts()[WAITING]


PARTS: dict[str, Callable[[Round], Any]] = {
    "reviews before the first model": withdraw_cold_start,
    "queued reviews": lambda now: open_queued(now.settings, now.deps),
    "counts": lambda now: now.deps.records.count_earlier(now.deps.clock(), RECORDS_PER_RUN),
    "earlier conflicts": lambda now: open_earlier_conflicts(now.deps),
    "metrics of reviews": measure_reviews,
    "unfinished answers": lambda now: hand_over_again(now.deps),
    "running hours": record_hours,
    "power": switch,
    "strays": stop_strays,
    "champion of a comparison": lambda now: return_champion(now.deps),
    "failed training": lambda now: start_due_check(now.deps.value("IMPROVE_MACHINE"), now.deps),
    "waiting images": queue_waiting,
    "metrics of the model": measure_model,
    "human loops": lambda now: start_loops(now.deps),
    "ended loops": lambda now: follow_loops(now.deps),
}
"""In this order: what Rekognition is needed for comes after what can be done without it."""
