"""Every minute: continue what waits, and finish what was cut off."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from loupe import telemetry
from loupe.domain.detection import DetectionState
from loupe.domain.model_state import ModelStatus
from loupe.domain.review import ReviewState
from loupe.errors import LoupeError
from loupe.faults import is_passing
from loupe.services.autostart import record_hours, stop_strays, switch
from loupe.services.cold_start import withdraw_cold_start
from loupe.services.comparison import return_champion
from loupe.services.human_loops import follow_loops, start_loops
from loupe.services.lookups import Lookups
from loupe.services.observation import observe_readings
from loupe.services.review_desk import hand_over_again
from loupe.services.reviews import known_labels, open_queued
from loupe.services.settling import settle_queued
from loupe.services.suspects import list_after_comparison
from loupe.services.training import start_due_check
from loupe.wiring import Deps

IMAGES_PER_RUN = 1000
QUEUEING = timedelta(seconds=30)
"""Time in which the queue may still look empty to other runs after images were sent to it."""
RECORDS_PER_RUN = 1000


class HousekeepingFailed(LoupeError):
    """Some parts of the housekeeping failed; the others are done."""


def run_housekeeping(deps: Deps) -> dict[str, Any]:
    """Run every part. Each looks at the state and is safe to repeat.

    A part that fails does not stop the others. The next run repeats it after a passing fault; any
    other error raises HousekeepingFailed at the end, which names the parts. A metric counts both,
    and so shows a passing fault that lasts.
    """
    run = Lookups(deps)
    results: dict[str, Any] = {}
    errors: dict[str, Exception] = {}
    for name, part in PARTS.items():
        try:
            results[name] = part(run)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other parts run
            telemetry.logger.warning("a part of the housekeeping failed", exc_info=error, part=name)
            errors[name] = error
    telemetry.meter(deps.value("STACK"), telemetry.HOUSEKEEPING_FAILED, len(errors))
    raise_lasting(errors)
    return {
        "action": results.get("model state", "leave"),
        "queued": results.get("waiting images", 0),
        "opened": results.get("queued reviews", 0),
    }


def raise_lasting(errors: Mapping[str, Exception]) -> None:
    """Raise HousekeepingFailed for the parts whose error does not pass by itself, if any."""
    failed = [
        f"{name} ({type(error).__name__}: {error})"
        for name, error in errors.items()
        if not is_passing(error)
    ]
    if failed:
        raise HousekeepingFailed(f"These parts failed: {'; '.join(failed)}.")


def queue_waiting(run: Lookups) -> int:
    """Queue images that wait, if they can be read now and the queue is empty."""
    if not _can_read(run) or not run.deps.queue.is_empty():
        return 0
    waiting = run.deps.detections.waiting(page=IMAGES_PER_RUN)
    images = [detection.image for detection in islice(waiting, IMAGES_PER_RUN)]
    if not images or not run.deps.turns.take("waiting images", run.deps.clock(), QUEUEING):
        return 0
    run.deps.queue.send(images)
    return len(images)


def _can_read(run: Lookups) -> bool:
    if run.service.version:
        return run.state.status == ModelStatus.RUNNING
    return run.settings.review and bool(known_labels(run.settings, run.deps))


def measure_reviews(run: Lookups) -> None:
    """Measure how long the oldest review waits, for the alarms and the dashboard."""
    oldest = next(run.deps.reviews.oldest(ReviewState.OPEN, "", page=1), None)
    at = run.deps.clock()
    waited = at - datetime.fromisoformat(oldest.at) if oldest else timedelta()
    telemetry.meter(
        run.deps.value("STACK"), telemetry.OLDEST_REVIEW_HOURS, waited.total_seconds() / 3600
    )


def measure_model(run: Lookups) -> None:
    """Measure what waits for the model and what bills, for the alarms and the dashboard."""
    stack = run.deps.value("STACK")
    telemetry.meter(stack, telemetry.IMAGES_WAITING, _backlog(run))
    running = (state.units for state in run.states.values() if state.status == ModelStatus.RUNNING)
    telemetry.meter(stack, telemetry.INFERENCE_UNITS, sum(running))


def _backlog(run: Lookups) -> int:
    """The number of images that wait for a model that does not run."""
    if not run.service.version or run.state.status == ModelStatus.RUNNING:
        return 0
    return run.deps.detections.counts()[DetectionState.WAITING]


PARTS: dict[str, Callable[[Lookups], Any]] = {
    "reviews before the first model": withdraw_cold_start,
    "queued reviews": lambda run: open_queued(run.settings, run.deps),
    "counts": lambda run: run.deps.records.count_earlier(run.deps.clock(), RECORDS_PER_RUN),
    "earlier conflicts": lambda run: run.deps.earlier_conflicts.open(
        run.deps.clock(), RECORDS_PER_RUN
    ),
    "metrics of reviews": measure_reviews,
    "readings": lambda run: observe_readings(run.settings, run.deps),
    "suspects": lambda run: list_after_comparison(run.deps),
    "unfinished answers": lambda run: hand_over_again(run.deps),
    "running hours": record_hours,
    "model state": switch,
    "strays": stop_strays,
    "champion of a comparison": lambda run: return_champion(run.deps),
    "failed training": lambda run: start_due_check(run.deps),
    "waiting images": queue_waiting,
    "reviews of earlier versions": settle_queued,
    "metrics of the model": measure_model,
    "human loops": lambda run: start_loops(run.deps),
    "ended loops": lambda run: follow_loops(run.deps),
}
"""In this order: parts that need Rekognition come after those that do not."""
