"""Ask people what an image shows."""

from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from loupe.adapters.detections import moved
from loupe.adapters.reviews import count_opened
from loupe.domain.detection import Detection, DetectionState, ModelOutput, why_unsure
from loupe.domain.events import make_event
from loupe.domain.keys import timestamp
from loupe.domain.review import Review, ReviewPurpose, ReviewState, review_id
from loupe.domain.settings import Settings
from loupe.errors import AlreadyDone
from loupe.services.detection import record
from loupe.services.human_loops import PER_RUN, start_loop
from loupe.telemetry import logger
from loupe.wiring import Deps

NO_LABELS_YET = "no label is known yet; set Labels or upload labelled images"


@dataclass(frozen=True)
class ReviewRequest:
    """What the detect machine hands over."""

    image_id: str
    answer: ModelOutput
    settings: Settings


def request_review(request: ReviewRequest, deps: Deps) -> str:
    """Open a review, or leave the image waiting while there is no label to choose from."""
    labels = known_labels(request.settings, deps)
    if not labels:
        now = deps.clock()
        deps.events.write(make_event("LabelsNeeded", f"{now:%Y-%m-%d}", now))
        return record(request.image_id, DetectionState.WAITING, request.answer, NO_LABELS_YET, deps)
    detection = deps.detections.get(request.image_id)
    if detection is None:
        raise LookupError(f"image {request.image_id} has no record; the dispatcher makes it first")
    if detection.state == DetectionState.WAITING:
        detection = open_review(detection, request, labels, deps)
    if detection.state == DetectionState.REVIEW:
        start_loop(deps.reviews.get(detection.review), deps)
    return detection.state


def open_queued(settings: Settings, deps: Deps) -> int:
    """Open reviews that waited for a new day, the least sure image first."""
    day, cap = f"{deps.clock():%Y-%m-%d}", settings.reviews_per_day
    places = min(PER_RUN, deps.reviews.daily_reviews_left(day, cap))
    opened = 0
    for review in islice(deps.reviews.least_sure(page=places), places) if places else ():
        after = replace(review, state=ReviewState.OPEN)
        try:
            deps.reviews.move(after, review, *count_opened(day, cap))
        except AlreadyDone:
            if not deps.reviews.daily_reviews_left(day, cap):
                break
            logger.info("somebody answers this review just now", extra={"review": review.id})
        else:
            opened += 1
            start_loop(after, deps)
    return opened


def known_labels(settings: Settings, deps: Deps) -> tuple[str, ...]:
    """The labels to choose from: those of the setting, then the dataset's."""
    counts = deps.dataset.label_counts().by_label
    used = sorted(label for label, count in counts.items() if count.train or count.test)
    return tuple(dict.fromkeys((*settings.labels, *used)))


def open_review(
    detection: Detection, request: ReviewRequest, labels: tuple[str, ...], deps: Deps
) -> Detection:
    """Write the review with its place of the day, the record and the event together; a repeated
    run changes nothing.
    """
    now = deps.clock()
    day, cap = f"{now:%Y-%m-%d}", request.settings.reviews_per_day
    has_place = deps.reviews.daily_reviews_left(day, cap) > 0
    review = new_review(detection, request, labels, has_place, now)
    after = replace(
        detection,
        state=DetectionState.REVIEW,
        labels=request.answer.labels,
        version=request.answer.version,
        reason=review.reason,
        review=review.id,
        detected_at=timestamp(now) if request.answer.version else "",
    )
    event = make_event(
        "ImageSentToReview",
        review.id,
        now,
        about=detection.image.id,
        image=detection.image.name,
        key=detection.image.key,
        review=review.id,
        reason=review.reason,
        labels=list(labels),
    )
    place = count_opened(day, cap) if has_place else []
    try:
        deps.reviews.put_new(review, moved(after, DetectionState.WAITING), *place, events=[event])
    except AlreadyDone:
        if has_place and not deps.reviews.daily_reviews_left(day, cap):
            return open_review(detection, request, labels, deps)  # Another took the last place.
        return deps.detections.get(request.image_id) or after
    return after


def new_review(
    detection: Detection,
    request: ReviewRequest,
    labels: tuple[str, ...],
    has_place: bool,
    now: datetime,
) -> Review:
    """The task: its purpose says whether a model was asked at all."""
    asked = request.answer.outcome == "labels"
    purpose = ReviewPurpose.UNSURE if asked else ReviewPurpose.COLD_START
    reason = (
        why_unsure(request.answer, request.settings.minimum_confidence)
        if asked
        else request.answer.reason
    )
    return Review(
        id=review_id(detection.image, purpose),
        image=detection.image,
        purpose=purpose,
        state=ReviewState.OPEN if has_place else ReviewState.QUEUED,
        at=timestamp(now),
        labels=labels,
        reviewers=request.settings.reviewers,
        guess=request.answer.labels,
        guess_shown=request.settings.show_guess,
        version=request.answer.version,
        reason=reason if has_place else f"{reason}; today's number of reviews is reached",
    )
