"""Training, detection and the model file: what the rest of Loupe uses."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from loupe_local.vision import model_file
from loupe_local.vision.decode import Picture, decode
from loupe_local.vision.errors import VisionError
from loupe_local.vision.evaluation import Evaluation, evaluate
from loupe_local.vision.material import deal, make_rows
from loupe_local.vision.selection import Progress, select
from loupe_local.vision.training import Reals, Trained
from loupe_local.vision.views import View, embed

WORKERS = 2


@dataclass(frozen=True)
class Example:
    """A labelled image: the bytes of a PNG or JPEG as stored in S3."""

    image: bytes
    label: str


@dataclass(frozen=True, eq=False)
class Model:
    """A trained classifier of images."""

    labels: tuple[str, ...]
    evaluation: Evaluation
    kind: str
    """The classifier that cross-validation chose."""
    view: View
    """How it sees pictures, which cross-validation chose, too."""
    _trained: Trained
    held_out: tuple[dict[str, float], ...] = ()
    """Of each training image in their order: confidence 0..100 of every label, by scorers that had
    not seen it. Not in the file."""

    def predict(self, image: bytes) -> dict[str, float]:
        """Confidence 0..100 of every label; what is left to 100 is "none of them".

        Raises:
            VisionError: the image cannot be decoded.
        """
        vectors = embed([decode(image)], self.view)
        return _by_label(self.labels, self._trained.confidence(vectors)[0])

    def save(self, path: Path) -> None:
        """Writes the model to one file, which appears whole or not at all."""
        model_file.write(
            path,
            model_file.Content(self.labels, self.kind, self.view, self.evaluation, self._trained),
        )

    @classmethod
    def load(cls, path: Path) -> "Model":
        """A model that `save` wrote; a file of another origin runs nothing.

        Raises:
            VisionError: there is no such file or it is not a model of this version.
        """
        content = model_file.read(path)
        return cls(content.labels, content.evaluation, content.kind, content.view, content.trained)


def _silent(_share: float, _text: str) -> None:
    """Nobody watches."""


def train(
    train: Sequence[Example],
    test: Sequence[Example],
    *,
    seed: int = 0,
    progress: Progress = _silent,
) -> Model:
    """A model of the labels of `train`, evaluated on `test`, which nothing is chosen on.

    Test images of labels that are not in `train` are left out of the evaluation. The same
    images, labels, order and seed give the same model.

    Raises:
        VisionError: fewer than two labels, or an image that cannot be decoded.
    """
    labels = tuple(sorted({example.label for example in train}))
    if len(labels) < 2:
        raise VisionError(f"training needs at least 2 labels, got {len(labels)}")
    progress(0.0, "Reading images")
    pictures = _decoded(train, "training")
    tested = [example for example in test if example.label in labels]
    test_pictures = _decoded(tested, "test")
    classes = [labels.index(example.label) for example in train]
    folds = deal([example.image for example in train], classes)
    chosen = select(make_rows(pictures, classes, folds, seed), len(labels) + 1, seed, progress)
    progress(0.95, "Evaluating")
    confidence = (
        chosen.trained.confidence(embed(test_pictures, chosen.view))
        if test_pictures
        else np.zeros((0, len(labels)))
    )
    truth = [example.label for example in tested]
    evaluation = evaluate(labels, chosen.thresholds, confidence, truth)
    progress(1.0, "Done")
    held_out = tuple(_by_label(labels, row) for row in chosen.held_out)
    return Model(labels, evaluation, chosen.kind, chosen.view, chosen.trained, held_out)


def _by_label(labels: Sequence[str], confidence: Reals) -> dict[str, float]:
    """Confidence 0..100 by label, from 0..1."""
    return {label: 100 * float(value) for label, value in zip(labels, confidence, strict=True)}


def _decoded(examples: Sequence[Example], side: str) -> list[Picture]:
    def one(numbered: tuple[int, Example]) -> Picture:
        index, example = numbered
        try:
            return decode(example.image)
        except VisionError as error:
            raise VisionError(f"{side} image {index} ({example.label}): {error}") from error

    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(one, enumerate(examples)))
