"""Whether what the model sees has changed, by its confidences alone."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

WINDOW = 50
"""Images that are looked at together."""
BASELINE = 150
"""The first images that a version reads in production: what it sees without a shift."""
FEWEST = 30
SIGNIFICANCE = 0.01
LOOKS = 20
"""Each window is another chance of a false alarm: so many share SIGNIFICANCE (Bonferroni)."""
TERMS = 100


@dataclass(frozen=True)
class Drift:
    """The window's confidences differ from those of `reference`.

    `statistic` is the largest distance of the two distributions, 0-1, `p` how likely chance makes
    one as large.
    """

    reference: str
    statistic: float
    p: float


def find_drift(
    window: Sequence[float], baseline: Sequence[float], holdout: Sequence[float]
) -> Drift | None:
    """The shift that a window of confidences, 0-100, shows, or None.

    Business rule: a window is compared with the version's first images in production, and before
    there are enough of these with the holdout. The holdout holds more difficult images than
    production does, so that only a window in which the model is less sure than there is a shift.
    """
    if len(window) < WINDOW:
        return None
    if len(baseline) >= BASELINE:
        return _differs(window, baseline, "its first images in production")
    if len(holdout) < FEWEST or _mean(window) >= _mean(holdout):
        return None
    return _differs(window, holdout, "the holdout")


def _differs(window: Sequence[float], reference: Sequence[float], name: str) -> Drift | None:
    statistic = distance(window, reference)
    p = p_value(statistic, len(window), len(reference))
    return Drift(name, statistic, p) if p < SIGNIFICANCE / LOOKS else None


def distance(left: Sequence[float], right: Sequence[float]) -> float:
    """The two-sample Kolmogorov-Smirnov statistic: the largest distance of the distributions."""
    ours, theirs = sorted(left), sorted(right)
    largest, i, j = 0.0, 0, 0
    while i < len(ours) and j < len(theirs):
        value = min(ours[i], theirs[j])
        while i < len(ours) and ours[i] == value:
            i += 1
        while j < len(theirs) and theirs[j] == value:
            j += 1
        largest = max(largest, abs(i / len(ours) - j / len(theirs)))
    return largest


def p_value(statistic: float, left: int, right: int) -> float:
    """How likely two samples of one distribution have at least this distance.

    Kolmogorov's limit with Stephens' correction for small samples (1970).
    """
    size = math.sqrt(left * right / (left + right))
    scaled = (size + 0.12 + 0.11 / size) * statistic
    if scaled < 0.2:  # Below, the sum converges slowly, and is 1.
        return 1.0
    terms = ((-1.0) ** (k - 1) * math.exp(-2 * (k * scaled) ** 2) for k in range(1, TERMS))
    return min(1.0, max(0.0, 2 * math.fsum(terms)))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
