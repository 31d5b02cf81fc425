"""Which images people are asked about first: those whose labels teach the model most.

`margin-diverse` takes, of the images that the model is least sure of, those that resemble most of
the others and not each other: a facility location, chosen greedily (Wei, Iyer, Bilmes,
"Submodularity in data subset selection and active learning", 2015), in which an image counts the
more the less sure the model is of it. Images are compared by what there is: an embedding, otherwise
a thumbnail, and the model's scores.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from heapq import heapify, heappop, heappush
from operator import mul

SHORTLISTED = 400
"""The least sure images among which `margin-diverse` chooses."""
SCORES_SHARE = 1.0
"""How much the scores' spread counts beside that of what the image looks like."""
SMALLEST_WEIGHT = 0.01

Point = tuple[float, ...]


class Strategy(StrEnum):
    """The values of the setting `Review-Strategy`."""

    ARRIVAL = "arrival"
    MARGIN = "margin"
    MARGIN_DIVERSE = "margin-diverse"


@dataclass(frozen=True)
class Candidate:
    """An image that people could be asked about.

    `arrival` sorts by time. `scores` are the model's confidences by label, 0-100, empty before the
    first model. `thumbnail` is that of `fingerprint.thumbnail`.
    """

    id: str
    arrival: str
    scores: Mapping[str, float]
    embedding: Sequence[float] | None = None
    thumbnail: bytes = b""


def margin(scores: Mapping[str, float]) -> float:
    """By how much the first label leads, 0-100: 0 is the least sure, also without scores."""
    first, second, *_ = [*sorted(scores.values(), reverse=True), 0.0, 0.0]
    return first - second


def order(candidates: Sequence[Candidate], strategy: Strategy, batch: int) -> list[str]:
    """The ids of all candidates, the most useful first.

    `batch` is how many people are asked about before the order is made again: the first `batch` of
    `margin-diverse` are chosen together, the others follow by margin. The order is the same for
    the same candidates.
    """
    by_arrival = sorted(candidates, key=lambda image: (image.arrival, image.id))
    if strategy == Strategy.ARRIVAL:
        return [image.id for image in by_arrival]
    by_margin = sorted(by_arrival, key=lambda image: margin(image.scores))
    if strategy == Strategy.MARGIN:
        return [image.id for image in by_margin]
    shortlist = by_margin[:SHORTLISTED]
    first = [shortlist[index].id for index in _kinds(shortlist, batch)]
    return first + [image.id for image in by_margin if image.id not in first]


def _kinds(images: Sequence[Candidate], count: int) -> list[int]:
    """The typical images of `count` kinds, as places in `images`.

    Each image is as far from the chosen ones as from the nearest of them, and at first as all are
    on average from their middle. The image that brings all of them nearer by the most, by their
    weights, is chosen next.
    """
    if len(images) <= count:
        return list(range(len(images)))
    points = _points(images)
    weights = [max(1 - margin(image.scores) / 100, SMALLEST_WEIGHT) for image in images]
    squares = _squares(points)
    nearest = [sum(math.hypot(*point) ** 2 for point in points) / len(points)] * len(images)

    def gain(index: int) -> float:
        return float(sum(map(mul, weights, map(_saved, nearest, squares[index]))))

    # What was gained before is an upper bound of what is gained now (Minoux, 1978).
    bounds = [(-gain(index), index) for index in range(len(images))]
    heapify(bounds)
    chosen: list[int] = []
    while len(chosen) < count:
        _, index = heappop(bounds)
        now = -gain(index), index
        if bounds and now > bounds[0]:
            heappush(bounds, now)
        else:
            chosen.append(index)
            nearest = list(map(min, nearest, squares[index]))
    return chosen


def _squares(points: Sequence[Point]) -> list[list[float]]:
    """The squared distances of all points from each other."""
    squares = [[0.0] * len(points) for _ in points]
    for row, point in enumerate(points):
        for column in range(row):
            squares[row][column] = squares[column][row] = math.dist(point, points[column]) ** 2
    return squares


def _saved(before: float, after: float) -> float:
    return max(before - after, 0.0)


def _points(images: Sequence[Candidate]) -> list[Point]:
    looks = [_looks(image) for image in images]
    labels = sorted({label for image in images for label in image.scores})
    scores = [_shares(image.scores, labels) for image in images]
    return [
        look + score
        for look, score in zip(_scaled(looks, 1.0), _scaled(scores, SCORES_SHARE), strict=True)
    ]


def _looks(image: Candidate) -> Point | None:
    if image.embedding is not None:
        return tuple(image.embedding)
    return tuple(map(float, image.thumbnail)) or None


def _shares(scores: Mapping[str, float], labels: Sequence[str]) -> Point | None:
    """Square roots of the labels' shares, whose distance is Hellinger's."""
    total = sum(scores.values())
    if total <= 0:
        return None
    return tuple(math.sqrt(max(scores.get(label, 0.0), 0.0) / total) for label in labels)


def _scaled(vectors: Sequence[Point | None], spread: float) -> list[Point]:
    """Centred, with a total variance of `spread`; a missing vector stands in the middle.

    A vector of another length (an embedding of another model) counts as missing.
    """
    present = [vector for vector in vectors if vector]
    if not present:
        return [()] * len(vectors)
    size = max(map(len, present))
    present = [vector for vector in present if len(vector) == size]
    mean = [sum(column) / len(present) for column in zip(*present, strict=True)]
    variance = sum(math.dist(vector, mean) ** 2 for vector in present) / len(present)
    scale = math.sqrt(spread / variance) if variance else 0.0
    middle = (0.0,) * size
    return [
        tuple((value - centre) * scale for value, centre in zip(vector, mean, strict=True))
        if vector and len(vector) == size
        else middle
        for vector in vectors
    ]
