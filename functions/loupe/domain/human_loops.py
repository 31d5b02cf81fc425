"""Human loops of Amazon A2I: their names, and what follows when one ends without an answer."""

import json
import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from loupe.domain.object_events import s3_event
from loupe.domain.review import Review, ReviewState

STATUS_CHANGE = "SageMaker A2I HumanLoop Status Change"


class LoopStatus(StrEnum):
    """The states of a human loop of Amazon A2I that Loupe distinguishes."""

    IN_PROGRESS = "InProgress"
    COMPLETED = "Completed"
    FAILED = "Failed"
    STOPPED = "Stopped"


MOST_LOOPS = 3
"""Human loops of a review before an operator decides it."""
NAME = re.compile(r"(?P<review>.+-[0-9a-f]{32})(-\d+)?")


@dataclass(frozen=True)
class EndedLoop:
    """A human loop that has ended, and why."""

    name: str
    status: str
    reason: str


@dataclass(frozen=True)
class LoopState:
    """A human loop by Amazon A2I's account; `output` is the S3 URI of its answers, or ""."""

    status: str
    output: str = ""
    reason: str = ""

    def message(self, name: str) -> dict[str, Any] | None:
        """The event of the end of the loop `name`, or None while it is open."""
        match self.status:
            case LoopStatus.COMPLETED if self.output:
                return s3_event(*self.output.removeprefix("s3://").split("/", 1))
            case LoopStatus.FAILED | LoopStatus.STOPPED:
                detail = {
                    "humanLoopName": name,
                    "humanLoopStatus": self.status,
                    "failureReason": self.reason or None,
                }
                return {"source": "aws.sagemaker", "detail-type": STATUS_CHANGE, "detail": detail}
        return None


def loop_name(review: Review) -> str:
    """The name of the next loop of a review: the review's id, then the same with `-2` and `-3`.

    Amazon A2I never frees a name, so each loop needs one of its own.
    """
    return review.id if not review.loops_started else f"{review.id}-{review.loops_started + 1}"


def review_of(loop: str) -> str:
    """The id of the review that a loop belongs to."""
    match = NAME.fullmatch(loop)
    return match["review"] if match else loop


def ended_loop(body: str) -> EndedLoop | None:
    """The loop whose end an EventBridge event reports, or None for any other event."""
    try:
        event = json.loads(body)
        if event["detail-type"] != STATUS_CHANGE:
            return None
        detail = event["detail"]
        status = str(detail["humanLoopStatus"])
        reason = detail.get("failureReason") or detail.get("failureCode") or status.lower()
        return EndedLoop(str(detail["humanLoopName"]), status, str(reason))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def after_loop(review: Review, ended: EndedLoop) -> Review | None:
    """The review after its loop ended without an answer, or None when that changes nothing.

    Business rule: another loop follows one that failed or expired, up to three in all; after the
    third, and when somebody stopped the loop, the operator decides.
    """
    if review.state not in (ReviewState.OPEN, ReviewState.QUEUED) or review.loop != ended.name:
        return None
    if ended.status == LoopStatus.COMPLETED:
        return None
    if ended.status == LoopStatus.FAILED and review.loops_started < MOST_LOOPS:
        return replace(review, loop="")
    return replace(review, state=ReviewState.CONFLICT, loop="")
