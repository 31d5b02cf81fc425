"""Let the version in service read images that wait in the queue: nobody is asked about those that
it is sure of."""

from datetime import timedelta
from typing import Any

from loupe.adapters.detections import moved
from loupe.adapters.reviews import count_settled
from loupe.domain.detection import ModelOutput, detection_event
from loupe.domain.model_state import ModelStatus
from loupe.domain.review import Review, ReviewState, read_anew, waits_for_newer_version
from loupe.errors import TryAgain, UnusableImage
from loupe.services.events import announce
from loupe.services.lookups import Lookups
from loupe.telemetry import logger
from loupe.wiring import Deps

SETTLING = "SETTLING"
PAGE = 50
TIME_PER_RUN = timedelta(seconds=20)


def settle_queued(run: Lookups) -> int:
    """Business rule: a version that takes over reads each queued image once, the oldest first,
    while it runs anyway; returns how many reviews are settled.

    A run goes on behind the last one. At the end an event says how many were settled.
    """
    deps, service = run.deps, run.service
    if not service.version:
        return 0
    progress = deps.pointers.get(SETTLING, {"since": ""})
    if progress["since"] != service.since:
        before = deps.versions.get(service.version).settled
        progress = {"since": service.since, "pointer": "", "done": False, "before": before}
    if progress["done"] or run.state.status != ModelStatus.RUNNING:
        return 0
    settled = _read_queued(progress, run)
    total = deps.versions.get(service.version).settled - progress["before"]
    if progress["done"] and total:
        cause = f"{service.version}/{service.since}"
        announce("ReviewsSettled", cause, deps, version=service.version, settled=total)
    deps.pointers.save(SETTLING, progress)
    return settled


def _read_queued(progress: dict[str, Any], run: Lookups) -> int:
    """Read images of queued reviews behind the pointer, and move it."""
    deps, settled = run.deps, 0
    until = deps.clock() + TIME_PER_RUN
    for review in deps.reviews.oldest(ReviewState.QUEUED, progress["pointer"], PAGE):
        if deps.clock() >= until:
            return settled
        try:
            settled += _read(review, run)
        except TryAgain as error:
            logger.info("images that wait are read later", extra={"reason": str(error)})
            return settled
        progress["pointer"] = review.sort_key
    progress["done"] = True
    return settled


def _read(listed: Review, run: Lookups) -> bool:
    """Read the image of a queued review; returns whether that settles it."""
    deps, version = run.deps, run.service.version
    if not waits_for_newer_version(listed, version):
        return False
    try:
        labels = deps.rekognition.detect(run.service.arn, listed.image)
    except UnusableImage:
        return False  # It was deleted; a person may still have seen it.
    output = ModelOutput("labels", labels, version)
    # The index may be a moment behind, and reading takes a while.
    before = deps.reviews.get(listed.id)
    if before.state != ReviewState.QUEUED or not waits_for_newer_version(before, version):
        return False
    after = read_anew(before, output, run.settings.minimum_confidence)
    if after.state != ReviewState.SETTLED:
        deps.reviews.try_move(after, before)
        return False
    return _settle(after, before, output, deps)


def _settle(after: Review, before: Review, output: ModelOutput, deps: Deps) -> bool:
    detection = deps.detections.existing(before.image.id)
    accepted = detection.settled(output)
    return deps.reviews.try_move(
        after,
        before,
        moved(accepted, detection.state),
        count_settled(output.version),
        events=[detection_event(accepted, deps.clock())],
    )
