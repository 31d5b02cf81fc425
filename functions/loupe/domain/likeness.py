"""Groups images that look alike, so that a person names many at once.

What says that images are alike is there without embeddings: the coarse picture that near duplicates
are found by or, for an image that has none, the model's confidences by label. Both together grouped
digits of labels that the model does not know no better than pictures alone. Groups are joined by
average linkage, so that a group holds together as a whole and does not grow from neighbour to
neighbour.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import mul, sub

from loupe.domain.fingerprint import CHROMA_SIDE, SIDE, chroma_of, gray_of

MOST_GROUPED = 200
"""Images that are grouped at once; the time grows with the square of their number."""
ALIKE = 0.12
"""The mean distance up to which groups are joined, of 1 at most."""
BLOCK = SIDE // CHROMA_SIDE
FLAT = 1e-9
OF_SHAPE = 0.7
"""The share of light and dark in a distance; the rest is colour."""
MOST_COLOUR = 64
"""The mean difference of colour, of 255, that counts as the largest."""


@dataclass(frozen=True)
class Look:
    """What is known of an image's look: its fingerprint's signature (or b"") and the model's
    confidences by label, 0-100, which may be none."""

    signature: bytes
    scores: Mapping[str, float]

    @cached_property
    def shape(self) -> Sequence[float]:
        """Gray values of an 8 x 8 picture, without their mean, of length 1."""
        gray = gray_of(self.signature)
        if not gray:
            return ()
        blocks = [
            sum(sum(gray[row * SIDE + x : row * SIDE + x + BLOCK]) for row in range(y, y + BLOCK))
            for y in range(0, SIDE, BLOCK)
            for x in range(0, SIDE, BLOCK)
        ]
        mean = sum(blocks) / len(blocks)
        centred = [value - mean for value in blocks]
        length = math.sqrt(sum(map(mul, centred, centred)))
        return [value / length for value in centred] if length > FLAT else centred

    @cached_property
    def shares(self) -> Mapping[str, float]:
        """The confidences as shares of their sum."""
        total = sum(self.scores.values())
        return {name: score / total for name, score in self.scores.items()} if total else {}


def distance(one: Look, other: Look) -> float:
    """From 0, the same look, to 1: by picture if both have one, else by confidences."""
    if one.shape and other.shape:
        correlation: float = sum(map(mul, one.shape, other.shape))
        colours = chroma_of(one.signature), chroma_of(other.signature)
        colour: float = sum(map(abs, map(sub, *colours))) / (MOST_COLOUR * len(colours[0]))
        return OF_SHAPE * (1 - correlation) / 2 + (1 - OF_SHAPE) * min(1.0, colour)
    if one.shares and other.shares:
        labels = one.shares.keys() | other.shares.keys()
        both = ((one.shares.get(label, 0.0), other.shares.get(label, 0.0)) for label in labels)
        return sum(abs(a - b) for a, b in both) / 2
    return 1.0


def alike(looks: Mapping[str, Look]) -> list[list[str]]:
    """The ids of `looks` in groups that look alike, the largest first; inside in given order.

    Method: agglomerative clustering with average linkage (Sokal and Michener 1958), up to `ALIKE`.
    """
    groups = [[identity] for identity in looks]
    between = {
        (left, right): distance(looks[groups[left][0]], looks[groups[right][0]])
        for right in range(len(groups))
        for left in range(right)
    }
    sizes = dict.fromkeys(range(len(groups)), 1)
    while between:
        (left, right), nearest = min(between.items(), key=lambda pair: (pair[1], pair[0]))
        if nearest > ALIKE:
            break
        _join(left, right, between, sizes)
        groups[left] += groups[right]
    order = {identity: number for number, identity in enumerate(looks)}
    joined = [sorted(groups[number], key=order.__getitem__) for number in sizes]
    return sorted(joined, key=lambda group: (-len(group), order[group[0]]))


def _join(
    left: int, right: int, between: dict[tuple[int, int], float], sizes: dict[int, int]
) -> None:
    """Make one group of two: its distance to another is the mean of theirs, by size."""
    del between[left, right]
    of_left, of_right = sizes[left], sizes.pop(right)
    for other in sizes:
        if other != left:
            near, far = (min(left, other), max(left, other)), (min(right, other), max(right, other))
            total = between[near] * of_left + between.pop(far) * of_right
            between[near] = total / (of_left + of_right)
    sizes[left] = of_left + of_right
