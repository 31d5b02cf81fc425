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
    withheld: NDArray[np.bool_]
    """Images of a label that the scorer did not know, as examples of other things."""
    usual: float
    """Median distance of a held-out image from the nearest example."""


@dataclass(frozen=True)
class _Part:
    """One scoring: by what was kept, of what was not."""

    scores: dict[Kind, Scores]
    nearest: Reals
    classes: Classes


def cross_validate(
    material: Material, count: int, seed: int, withhold: bool, step: Callable[[float], None]
) -> Unseen:
    """Scores of every kind for what each fold holds out; `step` is told the share done.

    With `withhold`, labels are left out in turn, too: their images are what a photograph of
    another thing looks like, which no drawn background does.
    """
    background = count - 1
    held_out = material.original | (material.classes == background)
    folds = sorted(set(material.folds.tolist()) - {ALWAYS})
    splits = [(material.folds != fold, (material.folds == fold) & held_out) for fold in folds]
    if withhold:
        groups = min(background, WITHHOLDINGS)
        for group in range(groups):
            own = (material.classes % groups == group) & (material.classes != background)
            splits.append((~own, own & material.original))

    def score(split: tuple[NDArray[np.bool_], NDArray[np.bool_]]) -> _Part:
        return _score(material, split[0], split[1], count, seed)

    parts = []
    with threadpool_limits(1), ThreadPoolExecutor(WORKERS) as pool:
        for part in pool.map(score, splits):
            parts.append(part)
            step(len(parts) / len(splits))
    return _gathered(parts, len(folds), background)


def _score(
    material: Material,
    kept: NDArray[np.bool_],
    held: NDArray[np.bool_],
    count: int,
    seed: int,
) -> _Part:
    projection = Projection.fit(material.vectors[kept], seed)
    train, test = projection(material.vectors[kept]), projection(material.vectors[held])
    classes = material.classes[kept]
    scores = {kind: fit(kind, train, classes, count).scores(test) for kind in KINDS}
    known = train[classes != count - 1]
    nearest = np.sqrt(squared_distances(test, known).min(axis=1)).astype(np.float64)
    return _Part(scores, nearest, material.classes[held])


def _gathered(parts: list[_Part], folds: int, background: int) -> Unseen:
    """The parts as one; those after the first `folds` are of withheld labels."""
    nearest = np.concatenate([part.nearest for part in parts])
    withheld = np.concatenate([np.full(len(p.classes), i >= folds) for i, p in enumerate(parts)])
    truth = np.where(withheld, background, np.concatenate([part.classes for part in parts]))
    usual = max(float(np.median(nearest[truth != background])), 1e-6)
    scores = {kind: np.concatenate([part.scores[kind] for part in parts]) for kind in KINDS}
    return Unseen(scores, _novelty(nearest, usual), truth, withheld, usual)


@dataclass(frozen=True)
class Choice:
    """A way to describe pictures, the kind of classifier on it, and its calibration."""

    view: View
    kind: Kind
    calibration: Calibration
    losses: Reals
    """Log loss of each held-out image."""

    def beaten_by(self, other: "Choice") -> bool:
        """Whether the other's log loss is less by more than two standard errors.

        On few images the least loss of several would be luck.
        """
        gain = self.losses - other.losses
        return bool(gain.mean() > 2 * gain.std() / np.sqrt(len(gain)))


def choose(unseen: Unseen, view: View, first: Choice | None = None) -> Choice:
    """The kind of classifier on a view: the first unless another is clearly better.

    `first` is what was chosen of other views, and stays unless it is beaten.
    """
    chosen = first
    for kind, scores in unseen.scores.items():
        calibration, losses = fit_calibration(
            scores, unseen.novelty, unseen.classes, unseen.withheld, USUAL_SLOPE[kind]
        )
        other = Choice(view, kind, calibration, losses)
        if chosen is None or chosen.beaten_by(other):
            chosen = other
    assert chosen is not None
    return chosen


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
