"""Figures about the reviewers, for the operator."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from loupe.domain.review import ReviewPurpose, ReviewState
from loupe.domain.reviewers import Reviewer, agreement, figures, names
from loupe.wiring import Deps

RECENT = 1000
"""The newest reviews of each state that the figures are made of."""


@dataclass(frozen=True)
class Reviewers:
    """Everybody who has answered one of `reviews` reviews.

    `agreement` is that of all of them (Krippendorff's alpha). A reliability below `minimum` is too
    low.
    """

    reviewers: Sequence[Reviewer]
    reviews: int
    agreement: float | None
    minimum: float


def reviewers(deps: Deps) -> Reviewers:
    """Figures from the newest answered reviews."""
    answered = [
        review
        for state in (ReviewState.DONE, ReviewState.CONFLICT)
        for review in islice(deps.reviews.newest(state, page=RECENT), RECENT)
        if review.answers and review.purpose != ReviewPurpose.TWO_LABELS
    ]
    reliabilities = deps.reliabilities.of(names(answered))
    minimum = deps.parameters.settings().minimum_reliability
    return Reviewers(
        reviewers=figures(answered, reliabilities, minimum),
        reviews=len(answered),
        agreement=agreement(answered),
        minimum=minimum,
    )
