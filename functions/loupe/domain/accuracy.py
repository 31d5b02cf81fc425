"""How good the model is now, by what is known without and with labels."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

Z = 1.96
"""Standard deviations on each side of a 95 % interval."""


@dataclass(frozen=True)
class Rate:
    """A share with its 95 % interval, each 0-1."""

    share: float
    low: float
    high: float


def rate(hits: int, of: int) -> Rate | None:
    """The share of `hits` with Wilson's interval (1927), which holds for few and for rare ones.

    None without anything to count.
    """
    if not of:
        return None
    share = hits / of
    centre = (share + Z**2 / (2 * of)) / (1 + Z**2 / of)
    half = Z / (1 + Z**2 / of) * math.sqrt(share * (1 - share) / of + Z**2 / (4 * of**2))
    return Rate(share, max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half)))


@dataclass(frozen=True)
class Calibration:
    """How often answers of a confidence are right: between two points the share is interpolated.

    `confidences` rise, 0-100; `shares` do not fall, 0-1.
    """

    confidences: tuple[float, ...] = ()
    shares: tuple[float, ...] = ()

    def right(self, confidence: float) -> float:
        """How likely an answer of this confidence is right."""
        after = bisect_right(self.confidences, confidence)
        if after == 0:
            return self.shares[0]
        if after == len(self.confidences):
            return self.shares[-1]
        low, high = self.confidences[after - 1 : after + 1]
        share = (confidence - low) / (high - low)
        return self.shares[after - 1] * (1 - share) + self.shares[after] * share


PRIOR_IMAGES = 50
"""A confidence is taken at its word as far as so many images count beside those of the holdout: the
regression alone follows chance in a small one."""


def calibrate(scored: Sequence[tuple[float, bool]]) -> Calibration:
    """Isotonic regression of being right on the confidence, by pooling adjacent violators.

    `scored` are the confidence and whether the answer was right, of images whose label is known.
    """
    prior = PRIOR_IMAGES / max(len(scored), 1)
    blocks: list[list[float]] = []  # [lowest confidence, highest confidence, right, of]
    for confidence, is_right in sorted(scored):
        right, of = is_right + prior * confidence / 100, 1 + prior
        if blocks and blocks[-1][1] == confidence:
            blocks[-1][2:] = [blocks[-1][2] + right, blocks[-1][3] + of]
        else:
            blocks.append([confidence, confidence, right, of])
    pooled: list[list[float]] = []
    for block in blocks:
        pooled.append(block)
        while len(pooled) > 1 and pooled[-2][2] / pooled[-2][3] >= pooled[-1][2] / pooled[-1][3]:
            _, high, right, of = pooled.pop()
            pooled[-1][1:] = [high, pooled[-1][2] + right, pooled[-1][3] + of]
    points = [
        (end, right / of)
        for low, high, right, of in pooled
        for end in ((low, high) if low < high else (low,))
    ]
    return Calibration(tuple(end for end, _ in points), tuple(share for _, share in points))


def estimate(calibration: Calibration, confidences: Sequence[float]) -> float | None:
    """The expected share of right answers among answers of these confidences, without labels.

    None where nothing is known: it holds as long as the model errs as it did when it was
    calibrated, so it is shown beside samples and reports and never instead of them.
    """
    if not confidences or not calibration.confidences:
        return None
    return sum(map(calibration.right, confidences)) / len(confidences)


SAMPLES = 80
"""Samples in which a fall of 0.08 of the share of right answers is seen."""
DAYS = 7
HIGHEST_RATE = 5
"""At most every fifth image is a sample: reviewing more would be no automation any more."""


def sampling_interval(images_a_day: float, longest: int) -> int:
    """Business rule: every n-th image is a sample, so that SAMPLES come in DAYS.

    `longest` is the operator's `Human-Sampling-Interval`, which a busy stack keeps to.
    """
    enough = int(images_a_day * DAYS / SAMPLES)
    return min(max(enough, HIGHEST_RATE), longest)
