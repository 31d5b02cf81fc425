"""Send every n-th detection to people, to measure how good the model in service is."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from loupe.domain.detection import Detection, DetectionState, LabelledBy
from loupe.domain.keys import timestamp
from loupe.domain.review import Review, ReviewPurpose, ReviewState, consensus, review_id
from loupe.domain.sampling import every_nth
from loupe.domain.settings import Settings
from loupe.errors import AlreadyDone
from loupe.services.human_loops import start_loop
from loupe.services.review_answers import score
from loupe.services.reviews import known_labels
from loupe.telemetry import SAMPLING_BEHIND_HOURS, meter
from loupe.wiring import Deps

SAMPLING = "SAMPLING"
CHUNK = 1000
"""Detections looked at before the place is kept; a run that ends in the middle goes on there."""
PATIENCE = timedelta(minutes=4)
"""So long a run looks at detections; the next one goes on behind them."""


def sample_reviews(deps: Deps) -> int:
    """Look at what a model read since the last run and sample it; meter how far behind it is."""
    settings = deps.parameters.settings()
    if not settings.sampling:
        return 0
    until = deps.clock() + PATIENCE
    place = deps.pointers.get(SAMPLING, {"pointer": "", "carried": 0})
    sampled, behind = 0, True
    while behind and deps.clock() < until:
        seen = list(islice(deps.detections.read_since(place["pointer"], page=CHUNK), CHUNK))
        behind = len(seen) == CHUNK
        if seen:
            chosen, carried = every_nth(seen, settings.sampling_interval, place["carried"])
            for _, detection in chosen:
                send(detection, settings, deps)
            sampled += len(chosen)
            place = {"pointer": seen[-1][0], "carried": carried}
            deps.pointers.save(SAMPLING, place)
    meter(deps.value("STACK"), SAMPLING_BEHIND_HOURS, _hours_behind(behind, place, deps))
    return sampled


def _hours_behind(behind: bool, place: Mapping[str, Any], deps: Deps) -> float:
    """How long ago the first image was read that has yet to be looked at."""
    if not behind:
        return 0.0
    reached = datetime.fromisoformat(place["pointer"].partition("#")[0])
    return (deps.clock() - reached).total_seconds() / 3600


def send(detection: Detection, settings: Settings, deps: Deps) -> None:
    """Open a quality review, or let the review that the image has anyway count as one."""
    if detection.state in (DetectionState.REVIEW, DetectionState.ANSWERED) and reuse(
        detection, deps
    ):
        return
    review = Review(
        id=review_id(detection.image, ReviewPurpose.QUALITY),
        image=detection.image,
        purpose=ReviewPurpose.QUALITY,
        state=ReviewState.OPEN,
        at=timestamp(deps.clock()),
        labels=known_labels(settings, deps),
        reviewers=settings.reviewers,
        guess=tuple(label for label in detection.labels if label.by == LabelledBy.MODEL),
        version=detection.version,
        reason="a sample to measure quality",
    )
    try:
        deps.reviews.put_new(review)
    except AlreadyDone:
        review = deps.reviews.get(review.id)
    start_loop(review, deps)


def reuse(detection: Detection, deps: Deps) -> bool:
    """The answer that a person gives, or gave, to this image scores the version too.

    Returns False when somebody saw the model's guess, which sways people: another one is asked.
    """
    review = deps.reviews.get(detection.review)
    if review.also_quality or not review.version:
        return True
    if review.guess_was_seen:
        return False
    also = replace(review, also_quality=True)
    if detection.state == DetectionState.REVIEW:
        deps.reviews.move(also, review)
        return True
    answer = consensus(review.answers).label
    writes, events = score(also, answer, deps) if answer else ([], [])
    deps.reviews.move(also, review, *writes, events=events)
    return True
