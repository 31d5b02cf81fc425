"""Handwritten digits, a small calibrated model of them, and ways in which the world may change."""

from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage.feature import hog
from skimage.transform import resize
from sklearn.datasets import load_digits

from loupe.domain.fingerprint import thumbnail

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

SIDE = 32
LABELS = tuple("0123456789")
RIDGE = 0.1


@dataclass(frozen=True)
class Digits:
    """`pictures` (n, 8, 8) in 0..1, `features` (n, d), `labels` (n,)."""

    pictures: Floats
    features: Floats
    labels: Ints


@lru_cache(maxsize=1)
def digits() -> Digits:
    """All 1,797 digits of scikit-learn."""
    loaded = load_digits()
    pictures = loaded.images / 16
    return Digits(pictures, features(pictures), loaded.target)


def features(pictures: Floats) -> Floats:
    """Histograms of oriented gradients of pictures (n, 8, 8)."""
    return np.array(
        [
            hog(
                resize(picture, (SIDE, SIDE)),
                orientations=9,
                pixels_per_cell=(8, 8),
                cells_per_block=(2, 2),
            )
            for picture in pictures
        ]
    )


@lru_cache(maxsize=1)
def thumbnails() -> list[bytes]:
    """The thumbnail of each digit, as of an uploaded PNG."""
    found = []
    for picture in digits().pictures:
        buffer = BytesIO()
        pixels = Image.fromarray(np.round(picture * 255).astype(np.uint8))
        pixels.resize((128, 128), Image.Resampling.NEAREST).save(buffer, "PNG", compress_level=1)
        found.append(thumbnail(buffer.getvalue()))
    return found


class Model:
    """Least squares on a Gaussian kernel, as the local trainer's, with a temperature that is
    chosen by log loss on leave-one-out scores."""

    def __init__(self, vectors: Floats, labels: Ints) -> None:
        self.support = vectors
        self.width = float(2 * vectors.var(axis=0).sum())
        gram = np.exp(-squared_distances(vectors, vectors) / self.width)
        inverse = np.linalg.inv(gram + RIDGE * np.eye(len(vectors)))
        targets = np.eye(len(LABELS))[labels]
        self.weights = inverse @ targets
        left_out = targets - self.weights / np.diag(inverse)[:, None]
        self.temperature = min(
            np.geomspace(1, 40, 25), key=lambda t: log_loss(softmax(left_out * t), labels)
        )

    def probabilities(self, vectors: Floats) -> Floats:
        """Shape (n, 10)."""
        gram = np.exp(-squared_distances(vectors, self.support) / self.width)
        return softmax(gram @ self.weights * self.temperature)


def out_of_fold(
    vectors: Floats, labels: Ints, folds: int, generator: np.random.Generator
) -> Floats:
    """Probabilities (n, 10) by models that were not trained on the images."""
    fold = generator.permutation(len(labels)) % folds
    found = np.zeros((len(labels), len(LABELS)))
    for number in range(folds):
        out = fold == number
        found[out] = Model(vectors[~out], labels[~out]).probabilities(vectors[out])
    return found


def confidences(row: Floats) -> dict[str, float]:
    """What Rekognition would say: confidence by label, 0-100."""
    return {label: float(100 * share) for label, share in zip(LABELS, row, strict=True)}


def softmax(scores: Floats) -> Floats:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def log_loss(probabilities: Floats, labels: Ints) -> float:
    return float(-np.log(probabilities[np.arange(len(labels)), labels] + 1e-12).mean())


def squared_distances(left: Floats, right: Floats) -> Floats:
    squares = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)[None]
    return np.asarray(np.maximum(squares - 2 * left @ right.T, 0))


def blurred(pictures: Floats, width: float) -> Floats:
    return np.array([gaussian_filter(picture, width) for picture in pictures])


def noisy(pictures: Floats, strength: float, generator: np.random.Generator) -> Floats:
    return np.clip(pictures + generator.normal(0, strength, pictures.shape), 0, 1)


def inverted(pictures: Floats) -> Floats:
    return 1 - pictures


def turned(pictures: Floats) -> Floats:
    """By 90 degrees."""
    return np.rot90(pictures, axes=(1, 2))
