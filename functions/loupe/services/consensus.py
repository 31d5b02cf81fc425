"""Which label an image has, by what people and the model say, and who of them is right."""

from loupe.adapters.items import Write
from loupe.adapters.reliabilities import judged
from loupe.domain.certainty import AskAgain, Conflict, Reliabilities, Settled, judge, settle
from loupe.domain.review import Review, case_of
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


def count_right(review: Review, deps: Deps) -> list[Write]:
    """Writes that count who was right about the image, by what all others say."""
    return judged(judge(case_of(review), _reliabilities(review, deps), review.offered))


def _reliabilities(review: Review, deps: Deps) -> Reliabilities:
    case = case_of(review)
    return deps.reliabilities.of([*case.answers, *([case.version] if case.version else [])])
