"""The page Reviewers: how much, how fast and how well people answer."""

from typing import TypedDict, cast

from loupe.console.access import Role
from loupe.console.requests import Api
from loupe.services import reviewers as service
from loupe.wiring import deps

router = Api()


class LabelReliability(TypedDict):
    """How many answers about images of a label are known to be right or wrong."""

    label: str
    answered: int
    right: int


class ReviewerView(TypedDict):
    """A reviewer. `seconds` is the median between two answers, `agreement` Cohen's kappa with the
    others over `shared` answers, `reliability` how likely an answer is right, 0-1.
    """

    name: str
    answers: int
    last: str
    seconds: float | None
    agreement: float | None
    shared: int
    gold: int
    gold_right: int
    reliability: float
    below: bool
    labels: list[LabelReliability]


class ReviewersView(TypedDict):
    """Reviewers by name, from so many `reviews`; `agreement` is Krippendorff's alpha of all."""

    reviewers: list[ReviewerView]
    reviews: int
    agreement: float | None
    minimum: float


@router.offer("GET", "/reviewers", Role.OPERATOR)
def reviewers() -> ReviewersView:
    """Figures about everybody who has answered lately."""
    known = service.reviewers(deps())
    return {
        "reviewers": [cast(ReviewerView, one.as_json()) for one in known.reviewers],
        "reviews": known.reviews,
        "agreement": known.agreement,
        "minimum": known.minimum,
    }
