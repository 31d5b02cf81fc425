"""Vectors -> one raw score for each label and one for the background.

Three kinds, of which cross-validation chooses one (`training.py`):

- ``kernel``: least squares on a Gaussian kernel (Rifkin and Klautau, "In Defense of One-Vs-All
  Classification", JMLR 2004): as good as a support vector machine, solved at once for all labels;
- ``logistic``: multinomial logistic regression, for labels that differ in few directions;
- ``neighbours``: the nearest examples of each label, for labels that look like several things.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression

from loupe_local.vision.features import Floats

Kind = Literal["kernel", "logistic", "neighbours"]
Scores = NDArray[np.float64]
"""Shape (n, classes); the last class is the background."""
Classes = NDArray[np.intp]

KINDS: tuple[Kind, ...] = ("kernel", "logistic", "neighbours")
COMPONENTS = 128
RIDGE = 0.1


class Scorer(Protocol):
    """What all kinds can do: vectors of shape (n, d) -> scores of shape (n, classes)."""

    def scores(self, vectors: Floats) -> Scores: ...


@dataclass(frozen=True)
class Projection:
    """Onto the principal components of the training vectors."""

    mean: Floats
    components: Floats

    @classmethod
    def fit(cls, vectors: Floats, seed: int) -> "Projection":
        size = min(COMPONENTS, *vectors.shape)
        pca = PCA(size, svd_solver="randomized", iterated_power=2, random_state=seed).fit(vectors)
        return cls(pca.mean_.astype(np.float32), pca.components_.astype(np.float32))

    def __call__(self, vectors: Floats) -> Floats:
        return np.asarray((vectors - self.mean) @ self.components.T, dtype=np.float32)


@dataclass(frozen=True)
class Kernel:
    """Least squares on a Gaussian kernel."""

    support: Floats
    weights: Floats
    width: float

    @classmethod
    def fit(cls, vectors: Floats, classes: Classes, count: int) -> "Kernel":
        width = float(2 * vectors.var(axis=0).sum())
        gram = _gaussian(vectors, vectors, width)
        gram[np.diag_indices_from(gram)] += RIDGE
        targets = np.eye(count, dtype=np.float32)[classes]
        factor = cho_factor(gram, lower=True, overwrite_a=True, check_finite=False)
        return cls(vectors, cho_solve(factor, targets, check_finite=False), width)

    def scores(self, vectors: Floats) -> Scores:
        gram = _gaussian(vectors, self.support, self.width)
        return (gram @ self.weights).astype(np.float64)


@dataclass(frozen=True)
class Logistic:
    """Multinomial logistic regression."""

    weights: Floats
    bias: Floats

    @classmethod
    def fit(cls, vectors: Floats, classes: Classes, count: int) -> "Logistic":
        scale = float(np.sqrt(vectors.var(axis=0).sum()))
        model = LogisticRegression(C=3.0, max_iter=500, tol=1e-3, class_weight="balanced")
        model.fit(vectors * (8 / scale), classes)
        coefficients, intercepts = model.coef_, model.intercept_
        if len(model.classes_) == 2:  # scikit-learn then says only how far the second is ahead
            coefficients = np.concatenate([-coefficients, coefficients]) / 2
            intercepts = np.concatenate([-intercepts, intercepts]) / 2
        weights = np.zeros((count, vectors.shape[1]), dtype=np.float32)
        weights[model.classes_] = coefficients * (8 / scale)
        bias = np.full(count, -20.0, dtype=np.float32)
        bias[model.classes_] = intercepts
        return cls(weights, bias)

    def scores(self, vectors: Floats) -> Scores:
        return (vectors @ self.weights.T + self.bias).astype(np.float64)


@dataclass(frozen=True)
class Neighbours:
    """How near the three nearest examples of each class are."""

    support: Floats
    classes: Classes
    count: int
    width: float

    @classmethod
    def fit(cls, vectors: Floats, classes: Classes, count: int) -> "Neighbours":
        return cls(vectors, classes, count, float(2 * vectors.var(axis=0).sum()))

    def scores(self, vectors: Floats) -> Scores:
        squared = squared_distances(vectors, self.support) / self.width
        scores = np.full((len(vectors), self.count), -4.0)
        for index in range(self.count):
            own = squared[:, self.classes == index]
            if own.shape[1]:
                near = min(3, own.shape[1])
                scores[:, index] = -np.partition(own, near - 1, axis=1)[:, :near].mean(axis=1)
        return scores


def fit(kind: Kind, vectors: Floats, classes: Classes, count: int) -> Scorer:
    """A scorer of `count` classes from vectors (n, d) and their classes (n,)."""
    match kind:
        case "kernel":
            return Kernel.fit(vectors, classes, count)
        case "logistic":
            return Logistic.fit(vectors, classes, count)
        case "neighbours":
            return Neighbours.fit(vectors, classes, count)


def squared_distances(left: Floats, right: Floats) -> Floats:
    """Squared Euclidean distances, shape (len(left), len(right))."""
    squares = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)[None]
    return np.asarray(np.maximum(squares - 2 * (left @ right.T), 0), dtype=np.float32)


def _gaussian(left: Floats, right: Floats, width: float) -> Floats:
    scaled = squared_distances(left, right) * np.float32(-1 / width)
    return np.asarray(np.exp(scaled), dtype=np.float32)
