"""Gold tasks: reviews of images whose label is known, which measure who answers them.

A gold task looks like a quality sample, so that nobody can tell it from other work.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime

from loupe.domain.certainty import Reliability
from loupe.domain.keys import ImageRef, label_of, timestamp
from loupe.domain.labelled_images import LabelledImage, may_test
from loupe.domain.review import QUALITY_REASON, Review, ReviewPurpose, ReviewState, review_id


def is_due(answers: int, last: int, interval: int) -> bool:
    """Whether a reviewer with so many `answers` gets a gold task, the last one after `last`.

    `interval` is `Gold-Task-Interval`; with 0 there are none.
    """
    return 0 < interval <= answers - last


def by_use(
    images: Iterable[LabelledImage], worker: str, counts: Mapping[str, Reliability]
) -> list[LabelledImage]:
    """Images whose label is known without `worker`, the most useful first.

    Business rule: those that may be tested with are known. Most useful is a label about which the
    least is known of the worker.
    """
    known = [
        image
        for image in images
        if may_test(image.source, image.reviewers) and worker not in image.by
    ]
    return sorted(
        known,
        key=lambda image: (
            counts.get(image.label, Reliability()).answered,
            _digest(f"{worker}/{image.id}"),
        ),
    )


def gold_task(
    image: LabelledImage, bucket: str, worker: str, labels: tuple[str, ...], now: datetime
) -> Review:
    """The review of a labelled image that asks `worker`."""
    reference = ImageRef(bucket, image.key, image.version, "", 0)
    return Review(
        id=f"{review_id(reference, ReviewPurpose.GOLD)}-{_digest(worker)[:8]}",
        image=reference,
        purpose=ReviewPurpose.GOLD,
        state=ReviewState.OPEN,
        at=timestamp(now),
        labels=labels,
        reviewers=1,
        reason=QUALITY_REASON,
    )


def known_label(review: Review) -> str:
    """The right answer of a gold task."""
    return label_of(review.image.key)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
