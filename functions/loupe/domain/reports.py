"""Reports of wrong answers: which answers can be reported, and the review that follows."""

import json
from dataclasses import dataclass, replace
from datetime import datetime

from loupe.domain.detection import Detection, DetectionState, LabelledBy
from loupe.domain.keys import check_label, timestamp
from loupe.domain.review import Review, ReviewPurpose, ReviewState
from loupe.domain.settings import Settings
from loupe.errors import AlreadyDone, InvalidRequest

LONGEST_NAME = 200
WITH_AN_ANSWER = (DetectionState.ACCEPTED, DetectionState.UNSURE, DetectionState.ANSWERED)


@dataclass(frozen=True)
class Report:
    """Somebody says that the answer to an image is wrong.

    `image` is its id, or its name under `images_for_detection/`. `label` is the label that they
    propose, or "": it is a hint, and never becomes the image's label by itself.
    """

    image: str
    by: str
    label: str = ""


def parse_report(body: str) -> Report:
    """The report in a queued message, `{"image", "label"?, "by"?}`; raises InvalidRequest."""
    try:
        sent = json.loads(body)
        report = Report(sent["image"], sent.get("by", "an application"), sent.get("label", ""))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InvalidRequest(
            f'This message is no report, such as {{"image": "a.png"}} ({error!r}): {body[:500]}'
        ) from error
    if not all(isinstance(text, str) for text in vars(report).values()):
        raise InvalidRequest(f"A report holds texts only: {body[:500]}")
    if not report.image or not report.by.strip() or len(report.by) > LONGEST_NAME:
        raise InvalidRequest(
            f"A report names an image, and who reports it in at most {LONGEST_NAME} characters: "
            f"{body[:500]}"
        )
    return report


def report_review(
    detection: Detection, report: Report, labels: tuple[str, ...], settings: Settings, now: datetime
) -> Review:
    """The review of an answer that is reported, which other reviews wait for.

    Raises InvalidRequest where there is no answer to report, AlreadyDone where people are asked.
    """
    if report.label:
        check_label(report.label)
    name = detection.image.name
    if detection.state == DetectionState.REVIEW:
        raise AlreadyDone(f"{name!r} is with the reviewers already: their answer will count.")
    if detection.state not in WITH_AN_ANSWER:
        raise InvalidRequest(f"{name!r} is {detection.state}: it has no answer to report.")
    if not labels:
        raise InvalidRequest("No label is known to choose from; set Labels first.")
    return Review(
        id=_review_id(detection),
        image=detection.image,
        purpose=ReviewPurpose.REPORTED,
        state=ReviewState.OPEN,
        at=timestamp(now),
        labels=labels,
        reviewers=settings.reviewers,
        minimum_certainty=settings.minimum_certainty,
        guess=tuple(label for label in detection.labels if label.by == LabelledBy.MODEL),
        version=detection.version,
        reason=_reason(report),
    )


def _review_id(detection: Detection) -> str:
    """Each report of an image has a review of its own."""
    number = f"-{detection.reports + 1}" if detection.reports else ""
    return f"{ReviewPurpose.REPORTED}{number}-{detection.image.id}"


def with_report(detection: Detection, review: Review) -> Detection:
    """The record of an image whose reported answer people look at; its labels stay until then."""
    return replace(
        detection,
        state=DetectionState.REVIEW,
        review=review.id,
        reports=detection.reports + 1,
        reason=review.reason,
    )


def _reason(report: Report) -> str:
    proposal = f", and proposes {report.label}" if report.label else ""
    return f"{report.by} reports that the answer is wrong{proposal}"
