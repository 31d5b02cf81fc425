"""Send every n-th detection to people, to measure how good the model in service is."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from loupe.domain.accuracy import sampling_interval
from loupe.domain.detection import Detection, DetectionState
from loupe.domain.review import quality_review
from loupe.domain.sampling import every_nth
from loupe.domain.settings import Settings
from loupe.errors import AlreadyDone
from loupe.services.effects import Effect
from loupe.services.human_loops import start_loop
from loupe.services.observation import images_a_day
from loupe.services.review_answers import score
from loupe.services.reviews import known_labels
from loupe.telemetry import SAMPLING_BEHIND_HOURS, meter
from loupe.wiring import Deps

SAMPLING = "SAMPLING"
CHUNK = 1000
"""Detections between two saves of the pointer, from which the next run continues."""
TIME_PER_RUN = timedelta(minutes=4)
"""Time that a run looks at detections; the next run continues behind them."""


def sample_reviews(deps: Deps) -> int:
    """Sample what the model has read since the last run; returns how many images that are.

    A metric tells how far the sampling is behind.
    """
    settings = deps.parameters.settings()
    if not settings.sampling:
        return 0
    interval = sampling_interval(images_a_day(deps), settings.sampling_interval)
    until = deps.clock() + TIME_PER_RUN
    progress = deps.pointers.get(SAMPLING, {"pointer": "", "carried": 0})
    sampled, behind = 0, True
    while behind and deps.clock() < until:
        read_since = deps.detections.read_since(progress["pointer"], page=CHUNK)
        detections = list(islice(read_since, CHUNK))
        behind = len(detections) == CHUNK
        if detections:
            chosen, carried = every_nth(detections, interval, progress["carried"])
            for _, detection in chosen:
                send(detection, settings, deps)
            sampled += len(chosen)
            progress = {"pointer": detections[-1][0], "carried": carried}
            deps.pointers.save(SAMPLING, progress)
    meter(deps.value("STACK"), SAMPLING_BEHIND_HOURS, _hours_behind(behind, progress, deps))
    return sampled


def _hours_behind(behind: bool, progress: Mapping[str, Any], deps: Deps) -> float:
    """Hours since the model read the first image that the sampling has yet to look at."""
    if not behind:
        return 0.0
    reached = datetime.fromisoformat(progress["pointer"].partition("#")[0])
    return (deps.clock() - reached).total_seconds() / 3600


def send(detection: Detection, settings: Settings, deps: Deps) -> None:
    """Open a quality review, or let the review that the image has already count as one."""
    has_review = detection.state in (DetectionState.REVIEW, DetectionState.ANSWERED)
    if has_review and reuse(detection, deps):
        return
    labels = known_labels(settings, deps)
    review = quality_review(detection, labels, settings, deps.clock())
    try:
        deps.reviews.put_new(review)
    except AlreadyDone:
        review = deps.reviews.get(review.id)
    start_loop(review, deps)


def reuse(detection: Detection, deps: Deps) -> bool:
    """Let a person's answer to this image, now or later, score the version too.

    Returns False when somebody saw the model's guess, which biases people, or when a newer version
    has read the image since: another person answers.
    """
    review = deps.reviews.get(detection.review)
    if review.also_quality or not review.version:
        return True
    if review.guess_was_seen or review.version != detection.version:
        return False
    is_answered = detection.state == DetectionState.ANSWERED
    scored = score(review, detection.labels[0].name, deps) if is_answered else Effect()
    reused = replace(review, also_quality=True)
    deps.reviews.move(reused, review, *scored.writes, events=scored.events)
    return True
