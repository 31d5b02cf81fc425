"""Ask people what an image shows."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from loupe.adapters.detections import moved
from loupe.adapters.reviews import count_opened
from loupe.domain.choice import Strategy
from loupe.domain.detection import Detection, DetectionState, ModelOutput
from loupe.domain.review import (
    Review,
    ReviewPurpose,
    ReviewState,
    in_order,
    new_review,
    review_event,
)
from loupe.domain.settings import Settings
from loupe.errors import AlreadyDone
from loupe.services.detection import record
from loupe.services.events import announce
from loupe.services.human_loops import PER_RUN, start_loop
from loupe.wiring import Deps

POOL = 200
"""Reviews among which the most urgent ones are chosen."""
NO_LABELS_YET = "no label is known yet; set Labels or upload labelled images"


def request_review(image_id: str, output: ModelOutput, settings: Settings, deps: Deps) -> str:
    """Open a review, or leave the image waiting while there is no label to choose from."""
    labels = known_labels(settings, deps)
    if not labels:
        announce("LabelsNeeded", f"{deps.clock():%Y-%m-%d}", deps)
        return record(image_id, DetectionState.WAITING, output, NO_LABELS_YET, deps)
    detection = deps.detections.existing(image_id)
    if detection.state == DetectionState.WAITING:
        detection = open_review(detection, output, labels, settings, deps)
    if detection.state == DetectionState.REVIEW:
        start_loop(deps.reviews.get(detection.review), deps)
    return detection.state


def open_queued(settings: Settings, deps: Deps) -> int:
    """Open reviews that were queued for a new day, the most useful first."""
    day, cap = f"{deps.clock():%Y-%m-%d}", settings.reviews_per_day
    limit = min(PER_RUN, deps.reviews.daily_reviews_left(day, cap))
    opened = 0
    for review in (
        islice(deps.reviews.by_rank(ReviewState.QUEUED, page=limit), limit) if limit else ()
    ):
        after = replace(review, state=ReviewState.OPEN)
        if deps.reviews.try_move(after, review, *count_opened(day, cap)):
            opened += 1
            start_loop(after, deps)
        elif not deps.reviews.daily_reviews_left(day, cap):
            break
    return opened


def most_urgent(state: ReviewState, batch: int, settings: Settings, deps: Deps) -> Iterator[Review]:
    """Open or queued reviews, the first one to ask about first.

    Business rule: the first POOL by rank, or by age with the strategy `arrival`, are put in order
    by `Review-Strategy`; reports come first in any case.
    """
    strategy, by_rank = Strategy(settings.review_strategy), deps.reviews.by_rank(state, page=POOL)
    pool = list(islice(by_rank, POOL))
    if strategy == Strategy.ARRIVAL:
        reported = [review for review in pool if review.purpose == ReviewPurpose.REPORTED]
        pool = reported + list(islice(deps.reviews.oldest(state, "", POOL), POOL))
    urgent = {review.id: review for review in in_order(pool, strategy, batch)}
    yield from urgent.values()
    yield from (review for review in by_rank if review.id not in urgent)


def known_labels(settings: Settings, deps: Deps) -> tuple[str, ...]:
    """The labels to choose from: those of the setting, then the dataset's."""
    counts = deps.dataset.label_counts().by_label
    used = sorted(label for label, count in counts.items() if count.train or count.test)
    return tuple(dict.fromkeys((*settings.labels, *used)))


def open_review(
    detection: Detection,
    output: ModelOutput,
    labels: tuple[str, ...],
    settings: Settings,
    deps: Deps,
) -> Detection:
    """Write the review, its share of the day's number, the record and the event in one
    transaction; a repeated run changes nothing.
    """
    now = deps.clock()
    day, cap = f"{now:%Y-%m-%d}", settings.reviews_per_day
    opens = deps.reviews.daily_reviews_left(day, cap) > 0
    review = new_review(detection, output, labels, settings, opens, now)
    after = detection.with_output(DetectionState.REVIEW, output, review.reason, now)
    after = replace(after, review=review.id)
    event = review_event(
        "ImageSentToReview",
        review,
        now,
        key=detection.image.key,
        review=review.id,
        reason=review.reason,
        labels=list(labels),
    )
    counted = count_opened(day, cap) if opens else []
    try:
        deps.reviews.put_new(review, moved(after, DetectionState.WAITING), *counted, events=[event])
    except AlreadyDone:
        if opens and not deps.reviews.daily_reviews_left(day, cap):
            # Another review was the last of the day.
            return open_review(detection, output, labels, settings, deps)
        return deps.detections.existing(detection.image.id)
    return after
