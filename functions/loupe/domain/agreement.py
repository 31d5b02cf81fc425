"""How far people agree with each other, beyond what chance alone would make."""

from collections import Counter
from collections.abc import Iterable, Sequence


def cohens_kappa(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Agreement of two people (Cohen, 1960): 1 is perfect, 0 what chance makes.

    `pairs` are their labels of each image that both answered. None without such images, or where
    both always gave the same one label, which says nothing.
    """
    if not pairs:
        return None
    observed = sum(ours == theirs for ours, theirs in pairs) / len(pairs)
    ours, theirs = (Counter(column) for column in zip(*pairs, strict=True))
    expected = sum(ours[label] * theirs[label] for label in ours) / len(pairs) ** 2
    return None if expected == 1 else (observed - expected) / (1 - expected)


def krippendorffs_alpha(images: Iterable[Sequence[str]]) -> float | None:
    """Agreement of any number of people (Krippendorff, 1970, for names): 1 is perfect, 0 chance.

    `images` are the labels that people gave to each. None as for `cohens_kappa`; an image with one
    answer counts for nothing.
    """
    asked_often = [Counter(labels) for labels in images if len(labels) > 1]
    totals = sum(asked_often, Counter[str]())
    disagreeing = sum(_different_pairs(labels) / (labels.total() - 1) for labels in asked_often)
    by_chance = _different_pairs(totals)
    return 1 - (totals.total() - 1) * disagreeing / by_chance if by_chance else None


def _different_pairs(labels: Counter[str]) -> int:
    """Ordered pairs of answers with different labels."""
    return labels.total() ** 2 - sum(count**2 for count in labels.values())
