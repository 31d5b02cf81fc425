"""Every minute: go on with what waits, and bring to an end what was cut off."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from loupe.domain.detection import DetectionState
from loupe.domain.model_state import ModelStatus
from loupe.errors import LoupeError
from loupe.faults import is_passing
from loupe.services.autostart import record_hours, stop_strays, switch
from loupe.services.cold_start import withdraw_cold_start
from loupe.services.comparison import return_champion
from loupe.services.human_loops import follow_loops, start_loops
from loupe.services.lookups import Lookups
from loupe.services.review_desk import hand_over_again
from loupe.services.reviews import known_labels, open_queued
from loupe.services.training import start_due_check
from loupe.telemetry import (
    HOUSEKEEPING_FAILED,
    IMAGES_WAITING,
    INFERENCE_UNITS,
    OLDEST_REVIEW_HOURS,
    logger,
    meter,
)
from loupe.wiring import Deps

IMAGES_PER_RUN = 1000
QUEUEING = timedelta(seconds=30)
"""So long the queue may go on looking empty to other runs after images were sent to it."""
RECORDS_PER_RUN = 1000


class HousekeepingFailed(LoupeError):
    """Some parts of the housekeeping failed; the others were done."""


def run_housekeeping(deps: Deps) -> dict[str, Any]:
    """One run of the housekeeping. Each part looks at the state and is safe to repeat.

    A part that fails does not keep the others from their work. A passing fault is left to the next
    minute; for anything else HousekeepingFailed is raised at the end, and names the parts. Both are
    metered: a fault that ought to pass and lasts is seen by that.
    """
    now = Lookups(deps)
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


def queue_waiting(now: Lookups) -> int:
    """Queue images that wait, if they can be read now and the queue is done with the last ones."""
    if not _can_read(now) or not now.deps.queue.is_empty():
        return 0
    waiting = now.deps.detections.waiting(page=IMAGES_PER_RUN)
    images = [detection.image for detection in islice(waiting, IMAGES_PER_RUN)]
    if not images or not now.deps.turns.take("waiting images", now.deps.clock(), QUEUEING):
        return 0
    now.deps.queue.send(images)
    return len(images)


def _can_read(now: Lookups) -> bool:
    if now.service.version:
        return now.state.status == ModelStatus.RUNNING
    return now.settings.review and bool(known_labels(now.settings, now.deps))


def measure_reviews(now: Lookups) -> None:
    """What the alarms and the dashboard look at: how long people are waited for."""
    oldest = next(now.deps.reviews.oldest_open(page=1), None)
    at = now.deps.clock()
    waited = at - datetime.fromisoformat(oldest.at) if oldest else timedelta()
    meter(now.deps.value("STACK"), OLDEST_REVIEW_HOURS, waited.total_seconds() / 3600)


def measure_model(now: Lookups) -> None:
    """What the alarms and the dashboard look at: what waits for the model, and what bills."""
    stack = now.deps.value("STACK")
    meter(stack, IMAGES_WAITING, _backlog(now))
    running = (state.units for state in now.states.values() if state.status == ModelStatus.RUNNING)
    meter(stack, INFERENCE_UNITS, sum(running))


def _backlog(now: Lookups) -> int:
    """Images that wait for a model that does not run."""
    if not now.service.version or now.state.status == ModelStatus.RUNNING:
        return 0
    return now.deps.detections.counts()[DetectionState.WAITING]


PARTS: dict[str, Callable[[Lookups], Any]] = {
    "reviews before the first model": withdraw_cold_start,
    "queued reviews": lambda now: open_queued(now.settings, now.deps),
    "counts": lambda now: now.deps.records.count_earlier(now.deps.clock(), RECORDS_PER_RUN),
    "earlier conflicts": lambda now: now.deps.earlier_conflicts.open(
        now.deps.clock(), RECORDS_PER_RUN
    ),
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
