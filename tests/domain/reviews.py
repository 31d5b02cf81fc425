"""The review that tests of reviews begin with."""

from typing import Any

from loupe.domain.keys import ImageRef
from loupe.domain.review import Review, ReviewPurpose, ReviewState, review_id


def unsure_review(image: ImageRef, **fields: Any) -> Review:
    """An open review of an image that the model was unsure of; asks one person: cat or dog?"""
    defaults: dict[str, Any] = {
        "id": review_id(image, ReviewPurpose.UNSURE),
        "image": image,
        "purpose": ReviewPurpose.UNSURE,
        "state": ReviewState.OPEN,
        "at": "2026-01-01T00:00:00.000Z",
        "labels": ("cat", "dog"),
        "reviewers": 1,
    }
    return Review(**(defaults | fields))
