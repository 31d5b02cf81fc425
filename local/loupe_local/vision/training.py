"""Chooses a classifier by cross-validation and calibrates it on the images it had not seen."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from loupe_local.vision.calibration import Calibration, fit_calibration
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
from loupe_local.vision.material import Material

Reals = NDArray[np.float64]
WORKERS = 2
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
    """What cross-validation says of held-out originals and backgrounds."""

    scores: dict[Kind, Scores]
    novelty: Reals
    classes: Classes
    usual: float
    """Median distance of a held-out image from the nearest example."""


def cross_validate(
    material: Material, count: int, seed: int, step: Callable[[float], None]
) -> Unseen:
    """Scores of every kind for what each fold holds out; `step` is told the share done."""
    folds = sorted(set(material.folds.tolist()) - {-1})
    background = count - 1

    def one(fold: int) -> tuple[dict[Kind, Scores], Reals, Classes]:
        kept = material.folds != fold
        held = ~kept & (material.original | (material.classes == background))
        projection = Projection.fit(material.vectors[kept], seed)
        train, test = projection(material.vectors[kept]), projection(material.vectors[held])
        classes = material.classes[kept]
        scores = {kind: fit(kind, train, classes, count).scores(test) for kind in KINDS}
        truth = material.classes[held]
        known = train[classes != background]
        nearest = np.sqrt(squared_distances(test, known).min(axis=1)).astype(np.float64)
        return scores, nearest, truth

    with threadpool_limits(1), ThreadPoolExecutor(WORKERS) as pool:
        parts = []
        for part in pool.map(one, folds):
            parts.append(part)
            step(len(parts) / len(folds))
    nearest = np.concatenate([part[1] for part in parts])
    truth = np.concatenate([part[2] for part in parts])
    usual = max(float(np.median(nearest[truth != background])), 1e-6)
    return Unseen(
        {kind: np.concatenate([part[0][kind] for part in parts]) for kind in KINDS},
        _novelty(nearest, usual),
        truth,
        usual,
    )


def choose(unseen: Unseen) -> tuple[Kind, Calibration, list[float]]:
    """The kind of classifier, its calibration and the threshold of each label.

    The first kind stays unless another's log loss is less by more than two standard errors: on few
    images the least loss of three would be luck.
    """
    fitted = {
        kind: fit_calibration(scores, unseen.novelty, unseen.classes, USUAL_SLOPE[kind])
        for kind, scores in unseen.scores.items()
    }
    kind = KINDS[0]
    for other in KINDS[1:]:
        gain = fitted[kind][1] - fitted[other][1]
        if gain.mean() > 2 * gain.std() / np.sqrt(len(gain)):
            kind = other
    calibration = fitted[kind][0]
    confidence = np.exp(calibration.log_probabilities(unseen.scores[kind], unseen.novelty))
    labelled = unseen.classes < confidence.shape[1] - 1
    thresholds = [
        best_threshold(confidence[labelled, index], unseen.classes[labelled] == index)
        for index in range(confidence.shape[1] - 1)
    ]
    return kind, calibration, thresholds


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


def finish(
    material: Material, count: int, seed: int, unseen: Unseen, kind: Kind, calibration: Calibration
) -> Trained:
    """The chosen kind, fitted to everything."""
    projection = Projection.fit(material.vectors, seed)
    projected = projection(material.vectors)
    originals = material.original
    return Trained(
        projection,
        fit(kind, projected, material.classes, count),
        calibration,
        Memory(projected[originals], material.classes[originals], reach_of(projected, material)),
        projected[material.classes != count - 1],
        unseen.usual,
    )
