"""Hourly counts, so that charts need not read every record."""

from collections import Counter
from collections.abc import Iterable, Mapping

from loupe.domain.events import Event

COUNTED: Mapping[str, str] = {
    "ImageAccepted": "accepted",
    "ImageSentToReview": "review",
    "ImageAnswered": "answered",
    "ImageUnsure": "unsure",
    "ImageRejected": "rejected",
    "ImageFailed": "failed",
    "QualityScored": "samples",
}
AGREED = "agreed"
COUNTS = (*COUNTED.values(), AGREED)
"""The counts of an hour; `agreed`: quality samples in which person and model agree."""


def tally(events: Iterable[Event]) -> Mapping[str, int]:
    """The counts that `events` add to their hour."""
    counts: Counter[str] = Counter()
    for event in events:
        if event.type in COUNTED:
            counts[COUNTED[event.type]] += 1
        if event.type == "QualityScored" and event.detail["guess"] == event.detail["answer"]:
            counts[AGREED] += 1
    return counts
