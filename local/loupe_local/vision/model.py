"""Training, detection and the model file: what the rest of Loupe uses."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from loupe_local.vision import model_file
from loupe_local.vision.backbone import Backbone
from loupe_local.vision.decode import Picture, decode
from loupe_local.vision.errors import VisionError
from loupe_local.vision.evaluation import Evaluation, evaluate
from loupe_local.vision.features import Embedding, describe, embed
from loupe_local.vision.material import deal, prepare
from loupe_local.vision.training import Trained, choose, cross_validate, finish

WORKERS = 2

Progress = Callable[[float, str], None]
"""Is told the share done, 0..1, and what is being done."""


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
    _trained: Trained
    _backbone: Path | None
    _embedding: Embedding

    def predict(self, image: bytes) -> dict[str, float]:
        """Confidence 0..100 of every label; what is left to 100 is "none of them".

        Raises:
            VisionError: the image cannot be decoded.
        """
        vectors = self._embedding(decode(image))[None]
        confidence = self._trained.confidence(vectors)[0] * 100
        return {label: float(value) for label, value in zip(self.labels, confidence, strict=True)}

    def save(self, path: Path) -> None:
        """Writes the model to one file, which appears whole or not at all."""
        model_file.write(
            path,
            model_file.Content(
                self.labels, self.kind, self.evaluation, self._trained, self._backbone
            ),
        )

    @classmethod
    def load(cls, path: Path) -> "Model":
        """A model that `save` wrote; a file of another origin runs nothing.

        Raises:
            VisionError: there is no such file or it is not a model of this version.
        """
        content = model_file.read(path)
        return cls(
            content.labels,
            content.evaluation,
            content.kind,
            content.trained,
            content.backbone,
            _embedding(content.backbone),
        )


def _silent(_share: float, _text: str) -> None:
    """Nobody watches."""


def train(
    train: Sequence[Example],
    test: Sequence[Example],
    *,
    seed: int = 0,
    backbone: Path | None = None,
    progress: Progress = _silent,
) -> Model:
    """A model of the labels of `train`, evaluated on `test`, which nothing is chosen on.

    Test images of labels that are not in `train` are left out of the evaluation. The same
    images, labels, order and seed give the same model.

    Raises:
        VisionError: fewer than two labels, an image that cannot be decoded, or a backbone that
            cannot be used.
    """
    labels = tuple(sorted({example.label for example in train}))
    if len(labels) < 2:
        raise VisionError(f"training needs at least 2 labels, got {len(labels)}")
    embedding = _embedding(backbone)
    progress(0.0, "Reading images")
    pictures = _decoded(train, "training")
    tested = [example for example in test if example.label in labels]
    test_pictures = _decoded(tested, "test")
    classes = [labels.index(example.label) for example in train]
    progress(0.1, "Describing images")
    folds = deal([example.image for example in train], classes)
    material = prepare(pictures, classes, folds, embedding, seed)
    progress(0.4, "Comparing classifiers")
    count = len(labels) + 1
    unseen = cross_validate(
        material, count, seed, lambda share: progress(0.4 + 0.4 * share, "Comparing classifiers")
    )
    kind, calibration, thresholds = choose(unseen)
    progress(0.8, "Training the best one")
    trained = finish(material, count, seed, unseen, kind, calibration)
    progress(0.95, "Evaluating")
    confidence = (
        trained.confidence(embed(test_pictures, embedding))
        if test_pictures
        else np.zeros((0, len(labels)))
    )
    evaluation = evaluate(labels, thresholds, confidence, [example.label for example in tested])
    progress(1.0, "Done")
    return Model(labels, evaluation, kind, trained, backbone, embedding)


def _embedding(backbone: Path | None) -> Embedding:
    return describe if backbone is None else Backbone(backbone)


def _decoded(examples: Sequence[Example], side: str) -> list[Picture]:
    def one(numbered: tuple[int, Example]) -> Picture:
        index, example = numbered
        try:
            return decode(example.image)
        except VisionError as error:
            raise VisionError(f"{side} image {index} ({example.label}): {error}") from error

    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(one, enumerate(examples)))
