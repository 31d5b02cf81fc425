"""Which images people are asked about first: those whose labels teach the model most.

`margin-diverse` is the method of Zhdanov, "Diverse mini-batch active learning" (2019): of the
images that the model is least sure of, a weighted k-means finds as many different kinds as people
are asked about, and of each kind the most typical image is taken. Kinds are told apart by what
there is: an embedding, otherwise a thumbnail, and the model's scores.
"""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from operator import mul

SHORTLIST = 10
"""Times the batch: the least sure images among which `margin-diverse` chooses."""
MOST_SHORTLISTED = 400
SCORES_SHARE = 0.5
"""How much the scores' spread counts beside that of what the image looks like."""
PASSES = 10
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
    shortlist = by_margin[: min(SHORTLIST * batch, MOST_SHORTLISTED)]
    if not any(image.scores for image in shortlist):
        shortlist = by_margin[:MOST_SHORTLISTED]
    chosen = {shortlist[index].id for index in _kinds(shortlist, batch)}
    first = [image.id for image in shortlist if image.id in chosen]
    return first + [image.id for image in by_margin if image.id not in chosen]


def _kinds(images: Sequence[Candidate], count: int) -> list[int]:
    """The most typical image of each of `count` kinds, as places in `images`."""
    if len(images) <= count:
        return list(range(len(images)))
    points = _points(images)
    weights = [max(1 - margin(image.scores) / 100, SMALLEST_WEIGHT) for image in images]
    centres = _centres(points, weights, count)
    members: dict[int, list[int]] = {}
    for index, point in enumerate(points):
        members.setdefault(_nearest(point, centres), []).append(index)
    return [
        min(indices, key=lambda index: math.dist(points[index], centres[centre]))
        for centre, indices in members.items()
    ]


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


def _centres(points: Sequence[Point], weights: Sequence[float], count: int) -> list[Point]:
    """Weighted k-means, begun as k-means++ (Arthur and Vassilvitskii, 2007)."""
    centres = _first_centres(points, weights, count)
    for _ in range(PASSES):
        members: list[list[int]] = [[] for _ in centres]
        for index, point in enumerate(points):
            members[_nearest(point, centres)].append(index)
        moved = [
            _mean([points[i] for i in indices], [weights[i] for i in indices]) if indices else old
            for indices, old in zip(members, centres, strict=True)
        ]
        if moved == centres:
            break
        centres = moved
    return centres


def _first_centres(points: Sequence[Point], weights: Sequence[float], count: int) -> list[Point]:
    generator = random.Random(0)
    far = list(weights)
    nearest = [math.inf] * len(points)
    centres: list[Point] = []
    while len(centres) < count and any(far):
        (index,) = generator.choices(range(len(points)), cum_weights=list(accumulate(far)))
        centres.append(points[index])
        nearest = [
            min(d, math.dist(p, points[index])) for d, p in zip(nearest, points, strict=True)
        ]
        far = [weight * d * d for weight, d in zip(weights, nearest, strict=True)]
    return centres


def _nearest(point: Point, centres: Sequence[Point]) -> int:
    return min(range(len(centres)), key=lambda number: math.dist(point, centres[number]))


def _mean(points: Sequence[Point], weights: Sequence[float]) -> Point:
    total = sum(weights)
    return tuple(sum(map(mul, column, weights)) / total for column in zip(*points, strict=True))
