"""What is known of each reviewer: how much, how fast, and how well they answer."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median
from typing import Any

from loupe.domain.agreement import cohens_kappa, krippendorffs_alpha
from loupe.domain.certainty import Reliabilities, Reliability, overall_rate
from loupe.domain.gold_tasks import known_label
from loupe.domain.review import Answer, Review, ReviewPurpose

LONGEST_BREAK = 300.0
"""Seconds between two answers beyond which the reviewer did something else meanwhile."""


@dataclass(frozen=True)
class Reviewer:
    """Figures of one reviewer.

    `seconds` is the median time from one answer to the next. `agreement` is Cohen's kappa with the
    others, over the `shared` answers that somebody else gave too. `reliability` is how likely an
    answer is right, 0-1, and `labels` counts by label the answers of which others, gold tasks or
    operators say whether they are. `below`: the reliability is too low.
    """

    name: str
    answers: int
    last: str
    seconds: float | None
    agreement: float | None
    shared: int
    gold: Reliability
    reliability: float
    below: bool
    labels: Mapping[str, Reliability]

    def as_json(self) -> dict[str, Any]:
        """As the page and `loupe reviewers --json` show it."""
        labels = [
            {"label": label, "answered": count.answered, "right": count.right}
            for label, count in sorted(self.labels.items())
        ]
        gold = {"gold": self.gold.answered, "gold_right": self.gold.right}
        return vars(self) | gold | {"labels": labels}


def names(reviews: Sequence[Review]) -> list[str]:
    """Who has answered, in alphabetical order."""
    return sorted({answer.worker for review in reviews for answer in review.answers})


def figures(
    reviews: Sequence[Review], reliabilities: Reliabilities, minimum: float
) -> list[Reviewer]:
    """The figures of everybody who answered `reviews`; a reliability below `minimum` is too low."""
    return [
        _figures(name, reviews, reliabilities.get(name, {}), minimum) for name in names(reviews)
    ]


def agreement(reviews: Sequence[Review]) -> float | None:
    """Krippendorff's alpha of all answers to `reviews`."""
    return krippendorffs_alpha([answer.label for answer in review.answers] for review in reviews)


def _figures(
    name: str, reviews: Sequence[Review], labels: Mapping[str, Reliability], minimum: float
) -> Reviewer:
    own = [
        (review, answer) for review in reviews for answer in review.answers if answer.worker == name
    ]
    pairs = [pair for review, answer in own for pair in _pairs(answer, review)]
    gold = [(r, answer) for r, answer in own if r.purpose == ReviewPurpose.GOLD]
    reliability = overall_rate(labels)
    times = sorted(answer.at for _, answer in own)
    return Reviewer(
        name=name,
        answers=len(own),
        last=times[-1],
        seconds=_pace(times),
        agreement=cohens_kappa(pairs),
        shared=len(pairs),
        gold=Reliability(len(gold), sum(answer.label == known_label(r) for r, answer in gold)),
        reliability=reliability,
        below=reliability < minimum,
        labels=labels,
    )


def _pairs(answer: Answer, review: Review) -> Iterator[tuple[str, str]]:
    for other in review.answers:
        if other.worker != answer.worker:
            yield answer.label, other.label


def _pace(times: Sequence[str]) -> float | None:
    moments = [datetime.fromisoformat(time) for time in times]
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(moments)]
    working = [gap for gap in gaps if gap <= LONGEST_BREAK]
    return median(working) if working else None
