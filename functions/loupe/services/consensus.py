"""Which label an image has, by what people and the model say, and who of them is right."""

from loupe.adapters.reliabilities import judged
from loupe.domain.certainty import (
    AskAgain,
    Conflict,
    Reliabilities,
    Settled,
    fallen_below,
    judge,
    judge_by,
    settle,
)
from loupe.domain.review import Review, case_of, review_event
from loupe.services.effects import Effect
from loupe.wiring import Deps


def weigh(review: Review, deps: Deps) -> Settled | AskAgain | Conflict:
    """Whether the answers make a label, or somebody else is asked, or an operator decides."""
    return settle(
        case_of(review),
        _reliabilities(review, deps),
        review.offered,
        review.minimum_certainty,
        review.reviewers,
    )


def count_right(review: Review, deps: Deps, label: str = "") -> Effect:
    """Count who was right about the image: by its `label` where that is known, otherwise by what
    all others say. An event tells of a reviewer who is not reliable any more.
    """
    case, counts = case_of(review), _reliabilities(review, deps)
    judgements = judge_by(case, label) if label else judge(case, counts, review.offered)
    minimum = deps.parameters.settings().minimum_reliability
    events = [
        review_event(
            "ReviewerUnreliable",
            review,
            deps.clock(),
            reviewer=name,
            reliability=round(rate, 2),
            minimum=minimum,
        )
        for name, rate in fallen_below(minimum, counts, judgements).items()
        if name in case.answers
    ]
    return Effect(judged(judgements), events)


def _reliabilities(review: Review, deps: Deps) -> Reliabilities:
    case = case_of(review)
    return deps.reliabilities.of([*case.answers, *([case.version] if case.version else [])])
