"""Take in reports of wrong answers: the image goes to people, ahead of other reviews."""

from loupe.adapters.detections import moved
from loupe.domain.detection import Detection
from loupe.domain.keys import DETECTION_PREFIX
from loupe.domain.reports import Report, parse_report, report_review, with_report
from loupe.domain.review import Review, review_event
from loupe.errors import AlreadyDone, InvalidRequest, NotFound
from loupe.services.events import announce
from loupe.services.human_loops import start_loop
from loupe.services.reviews import known_labels
from loupe.telemetry import logger
from loupe.wiring import Deps


def take_in(body: str, deps: Deps) -> None:
    """One message of the report queue. A report that cannot be followed is announced."""
    report = parse_report(body)
    try:
        report_answer(report, deps)
    except AlreadyDone as error:
        logger.info("this was reported before", extra={"report": body, "reason": str(error)})
    except (InvalidRequest, NotFound) as error:
        announce("ReportUnusable", body, deps, image=report.image, by=report.by, reason=str(error))


def report_answer(report: Report, deps: Deps) -> Review:
    """Open the review of an answer that is reported as wrong.

    Raises NotFound, InvalidRequest where there is no answer, AlreadyDone where people are asked.
    """
    detection, settings = find_image(report.image, deps), deps.parameters.settings()
    now, labels = deps.clock(), known_labels(settings, deps)
    review = report_review(detection, report, labels, settings, now)
    event = review_event(
        "ImageReported",
        review,
        now,
        key=detection.image.key,
        review=review.id,
        reason=review.reason,
        label=detection.labels[0].name if detection.labels else "nothing",
        version=detection.version,
    )
    after = with_report(detection, review)
    deps.reviews.put_new(review, moved(after, detection.state), events=[event])
    start_loop(review, deps)
    return review


def find_image(name: str, deps: Deps) -> Detection:
    """The record of an image by its id, or by its name for the newest of that name."""
    detection = deps.detections.get(name)
    if detection is None:
        image = deps.objects.current(DETECTION_PREFIX + name.removeprefix(DETECTION_PREFIX)).image
        detection = deps.detections.get(image.id)
    if detection is None:
        raise NotFound(f"{name!r} has no record yet: Loupe has just received it.")
    return detection
