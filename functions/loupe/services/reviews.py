"""Ask people what an image shows."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import filterfalse, islice, takewhile

from loupe.adapters.detections import moved
from loupe.adapters.reviews import count_opened
from loupe.domain.choice import SHORTLISTED, Strategy
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

POOL = SHORTLISTED
"""Reviews among which the most useful ones are chosen."""
BATCH = 10
"""Reviews that are chosen together, as different from each other as possible."""
PAGE = 50
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
    """Open queued reviews, the most useful first, while the day has places for them."""
    day, cap = f"{deps.clock():%Y-%m-%d}", settings.reviews_per_day
    limit = min(PER_RUN, deps.reviews.daily_reviews_left(day, cap))
    opened = 0
    for review in most_useful_queued(limit, settings, deps) if limit else ():
        after = replace(review, state=ReviewState.OPEN)
        if deps.reviews.try_move(after, review, *count_opened(day, cap)):
            opened += 1
            start_loop(after, deps)
        elif not deps.reviews.daily_reviews_left(day, cap):
            break
    return opened


def most_useful_queued(count: int, settings: Settings, deps: Deps) -> list[Review]:
    """`count` queued reviews, chosen together by `Review-Strategy` from the first POOL."""
    strategy = Strategy(settings.review_strategy)
    queued = (
        deps.reviews.oldest(ReviewState.QUEUED, "", page=POOL)
        if strategy == Strategy.ARRIVAL
        else deps.reviews.by_rank(ReviewState.QUEUED, page=POOL)
    )
    return in_order(list(islice(queued, POOL)), strategy, count)[:count]


def most_urgent(settings: Settings, deps: Deps) -> Iterator[Review]:
    """Open reviews, the first one to ask about first: reports, then others by `Review-Strategy`.

    Business rule: with `margin-diverse`, BATCH at a time are chosen together from the first POOL,
    and the next ones only when these are not to be had. So people who answer one image after
    another are not asked about one kind again and again.
    """
    by_rank = deps.reviews.by_rank(ReviewState.OPEN, page=PAGE)
    match Strategy(settings.review_strategy):
        case Strategy.ARRIVAL:
            yield from takewhile(_is_report, by_rank)
            yield from filterfalse(_is_report, deps.reviews.oldest(ReviewState.OPEN, "", PAGE))
        case Strategy.MARGIN:
            yield from by_rank
        case Strategy.MARGIN_DIVERSE:
            for review in by_rank:
                if review.is_candidate:
                    yield from _chosen([review, *islice(by_rank, POOL - 1)], deps)
                else:
                    yield review


def _is_report(review: Review) -> bool:
    return review.purpose == ReviewPurpose.REPORTED


def _chosen(pool: list[Review], deps: Deps) -> Iterator[Review]:
    while pool:
        batch = in_order(pool, Strategy.MARGIN_DIVERSE, BATCH)[:BATCH]
        pool = [review for review in pool if review not in batch]
        yield from [_choose(review.id, deps) for review in batch]


def _choose(review_id: str, deps: Deps) -> Review:
    # The index may be a moment behind, so a review is read again before it is changed.
    before = deps.reviews.get(review_id)
    after = replace(before, chosen=True)
    is_written = before.state == ReviewState.OPEN and deps.reviews.try_move(after, before)
    return after if is_written else before


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
    """Write the review, the record and the event at once; a repeated run changes nothing."""
    now = deps.clock()
    review = new_review(detection, output, labels, settings, now)
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
    try:
        deps.reviews.put_new(review, moved(after, DetectionState.WAITING), events=[event])
    except AlreadyDone:
        return deps.detections.existing(detection.image.id)
    return after
