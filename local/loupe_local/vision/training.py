"""Chooses a classifier by cross-validation and calibrates it on the images it had not seen."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from loupe_local.vision.calibration import Calibration, fit_calibration, fit_strictly
from loupe_local.vision.classifier import (
    KINDS,
    Classes,
    Kind,
    Projection,
    Scorer,
    Scores,
    fit,
    squared_distances,
)
from loupe_local.vision.evaluation import best_threshold
from loupe_local.vision.features import Floats
from loupe_local.vision.material import ALWAYS, Material
from loupe_local.vision.views import View

Reals = NDArray[np.float64]
WORKERS = 2
WITHHOLDINGS = 6
"""Most times that labels are left out."""
USUAL_SLOPE: dict[Kind, float] = {"kernel": 6.0, "logistic": 1.0, "neighbours": 12.0}
SURE = 0.98
"""Confidence in the label of an image that is all but equal to a training image."""


@dataclass(frozen=True)
class Memory:
    """The training images themselves: what is all but equal to one has its label."""

    vectors: Floats
    classes: Classes
    reach: float
    """Distance up to which an image counts as equal."""

    def recall(self, vectors: Floats, count: int) -> tuple[Reals, Reals]:
        """How surely each image is one of them (n,), and its label's shares (n, count)."""
        distance = np.sqrt(squared_distances(vectors, self.vectors)) / self.reach
        nearness = np.exp(-(distance.astype(np.float64) ** 2))
        shares = np.zeros((len(vectors), count))
        for index in range(count):
            shares[:, index] = nearness[:, self.classes == index].sum(axis=1)
        total = shares.sum(axis=1, keepdims=True)
        return nearness.max(axis=1, initial=0), shares / np.maximum(total, 1e-12)


@dataclass(frozen=True)
class Trained:
    """Vectors -> calibrated confidence."""

    projection: Projection
    scorer: Scorer
    calibration: Calibration
    memory: Memory
    known: Floats
    """Projected training images and copies, shape (n, components)."""
    usual: float
    """Distance that is usual between examples of one label."""

    def confidence(self, vectors: Floats) -> Reals:
        """Of each label, 0..1, shape (n, labels), from vectors (n, d)."""
        projected = self.projection(vectors)
        scores = self.scorer.scores(projected)
        novelty = novelty_of(projected, self.known, self.usual)
        general = np.exp(self.calibration.log_probabilities(scores, novelty))[:, :-1]
        equal, shares = self.memory.recall(projected, general.shape[1])
        return (1 - equal[:, None]) * general + equal[:, None] * shares * SURE


def novelty_of(projected: Floats, known: Floats, usual: float) -> Reals:
    """log of the distance to the nearest known row, in units of the usual one; shape (n,)."""
    nearest = np.sqrt(squared_distances(projected, known).min(axis=1))
    return _novelty(nearest.astype(np.float64), usual)


def _novelty(nearest: Reals, usual: float) -> Reals:
    return np.log(nearest / usual + 0.05)


@dataclass(frozen=True)
class Unseen:
    """What cross-validation says of images and backgrounds that the scorers had not seen."""

    scores: dict[Kind, Scores]
    novelty: Reals
    classes: Classes
    source: NDArray[np.intp]
    """As in `Material`."""
    usual: float
    """Median distance of a held-out image from the nearest example."""


@dataclass(frozen=True)
class _Part:
    """One scoring: by what was kept, of what was not."""

    scores: dict[Kind, Scores]
    nearest: Reals
    classes: Classes
    source: NDArray[np.intp]


Split = tuple[NDArray[np.bool_], NDArray[np.bool_]]
"""Rows to train on, and rows to score."""


def cross_validate(
    material: Material, count: int, seed: int, step: Callable[[float], None]
) -> Unseen:
    """Scores of every kind for what each fold holds out; `step` is told the share done."""
    background = count - 1
    scored = material.original | (material.classes == background)
    folds = sorted(set(material.folds.tolist()) - {ALWAYS})
    splits = [(material.folds != fold, (material.folds == fold) & scored) for fold in folds]
    parts = []
    for part in _score_all(material, splits, KINDS, count, seed):
        parts.append(part)
        step(len(parts) / len(splits))
    nearest = np.concatenate([part.nearest for part in parts])
    truth = np.concatenate([part.classes for part in parts])
    usual = max(float(np.median(nearest[truth != background])), 1e-6)
    scores = {kind: np.concatenate([part.scores[kind] for part in parts]) for kind in KINDS}
    source = np.concatenate([part.source for part in parts])
    return Unseen(scores, _novelty(nearest, usual), truth, source, usual)


def recalibrate(
    material: Material, unseen: Unseen, choice: "Choice", count: int, seed: int
) -> Calibration:
    """The chosen calibration made strict: with images of labels that are withheld in turn.

    They are what a photograph of another thing looks like, which no drawn background does.
    """
    background = count - 1
    groups = min(background, WITHHOLDINGS)
    own = [
        (material.classes % groups == group) & (material.classes != background)
        for group in range(groups)
    ]
    splits = [(~rows, rows & material.original) for rows in own]
    parts = list(_score_all(material, splits, (choice.kind,), count, seed))
    nearest = np.concatenate([part.nearest for part in parts])
    return fit_strictly(
        np.concatenate([unseen.scores[choice.kind], *(part.scores[choice.kind] for part in parts)]),
        np.concatenate([unseen.novelty, _novelty(nearest, unseen.usual)]),
        np.concatenate([unseen.classes, np.full(len(nearest), background)]),
        np.arange(len(unseen.classes) + len(nearest)) >= len(unseen.classes),
        USUAL_SLOPE[choice.kind],
    )


def _score_all(
    material: Material, splits: Sequence[Split], kinds: Sequence[Kind], count: int, seed: int
) -> Iterator[_Part]:
    with threadpool_limits(1), ThreadPoolExecutor(WORKERS) as pool:
        yield from pool.map(lambda split: _score(material, split, kinds, count, seed), splits)


def _score(material: Material, split: Split, kinds: Sequence[Kind], count: int, seed: int) -> _Part:
    kept, held = split
    projection = Projection.fit(material.vectors[kept], seed)
    train, test = projection(material.vectors[kept]), projection(material.vectors[held])
    classes = material.classes[kept]
    scores = {kind: fit(kind, train, classes, count).scores(test) for kind in kinds}
    known = train[classes != count - 1]
    nearest = np.sqrt(squared_distances(test, known).min(axis=1)).astype(np.float64)
    return _Part(scores, nearest, material.classes[held], material.source[held])


@dataclass(frozen=True)
class Choice:
    """A way to describe pictures, the kind of classifier on it, and its calibration."""

    view: View
    kind: Kind
    calibration: Calibration
    losses: Reals
    """Log loss of each held-out image."""

    def beaten_by(self, other: "Choice", errors: float) -> bool:
        """Whether the other's log loss is less by more than so many standard errors.

        On few images the least loss of several would be luck.
        """
        gain = self.losses - other.losses
        return bool(gain.mean() > errors * gain.std() / np.sqrt(len(gain)))


def choose(unseen: Unseen, view: View) -> Choice:
    """The first kind of classifier, unless another is better by two standard errors."""
    choices = []
    for kind, scores in unseen.scores.items():
        calibration, losses = fit_calibration(
            scores, unseen.novelty, unseen.classes, USUAL_SLOPE[kind]
        )
        choices.append(Choice(view, kind, calibration, losses))
    return reduce(lambda best, other: other if best.beaten_by(other, 2) else best, choices)


def held_out(unseen: Unseen, choice: Choice) -> Reals:
    """Confidence 0..1 in each label (images, labels), of scorers that had not seen the image."""
    scores = unseen.scores[choice.kind]
    confidence = np.exp(choice.calibration.log_probabilities(scores, unseen.novelty))[:, :-1]
    images = unseen.source >= 0
    found = np.zeros((unseen.source.max() + 1, confidence.shape[1]))
    found[unseen.source[images]] = confidence[images]
    return found


def thresholds(unseen: Unseen, choice: Choice) -> list[float]:
    """The confidence 0..1 that decides each label."""
    scores = unseen.scores[choice.kind]
    confidence = np.exp(choice.calibration.log_probabilities(scores, unseen.novelty))
    labelled = unseen.classes < confidence.shape[1] - 1
    return [
        best_threshold(confidence[labelled, index], unseen.classes[labelled] == index)
        for index in range(confidence.shape[1] - 1)
    ]


def reach_of(projected: Floats, material: Material) -> float:
    """Up to which distance an image counts as equal to a training image.

    A part of the distance of a copy from its original, and less than half of that between
    images of different labels.
    """
    originals = projected[material.original]
    classes = material.classes[material.original]
    copies = (material.source >= 0) & ~material.original
    apart = np.linalg.norm(projected[copies] - originals[material.source[copies]], axis=1)
    between = np.sqrt(squared_distances(originals, originals))
    others = between[classes[:, None] != classes]
    return max(min(0.5 * float(np.median(apart)), 0.4 * float(others.min())), 1e-3)


def finish(material: Material, count: int, seed: int, unseen: Unseen, choice: Choice) -> Trained:
    """The chosen kind, fitted to everything."""
    projection = Projection.fit(material.vectors, seed)
    projected = projection(material.vectors)
    originals = material.original
    return Trained(
        projection,
        fit(choice.kind, projected, material.classes, count),
        choice.calibration,
        Memory(projected[originals], material.classes[originals], reach_of(projected, material)),
        projected[material.classes != count - 1],
        unseen.usual,
    )
