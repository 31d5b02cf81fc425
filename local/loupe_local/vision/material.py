"""The training images, their varied copies and the backgrounds, as vectors dealt into folds."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loupe_local.vision.augment import vary
from loupe_local.vision.background import backgrounds
from loupe_local.vision.classifier import Classes, squared_distances
from loupe_local.vision.decode import Picture
from loupe_local.vision.features import Floats

ROWS = 2400
"""About as many pictures as are trained on, copies included, unless there are more images."""
MOST_COPIES = 24
BACKGROUNDS = 400
FEW_COPIES = 2
FEW_ROWS = 480
FEW_BACKGROUNDS = 140
"""The same for the backbone, which takes ten times as long as the hand-made features."""
ALWAYS = -1
"""Fold of what is trained on in every fold."""


@dataclass(frozen=True)
class Rows:
    """Pictures to train on: images as they were given, then their copies, then backgrounds.

    All arrays have one entry a picture.
    """

    pictures: list[Picture]
    classes: Classes
    """The class of backgrounds is the last one."""
    folds: NDArray[np.intp]
    source: NDArray[np.intp]
    """Index of the image that the row is or is a copy of; -1 for backgrounds."""
    turn: NDArray[np.intp]
    """0 for an image, its running number from 1 for a copy, from 0 in its fold for a background."""

    def few(self) -> NDArray[np.intp]:
        """Indexes of the rows that are used where describing one takes long."""
        images = int(((self.source >= 0) & (self.turn == 0)).sum())
        copies = int(np.clip(FEW_ROWS // images, 1, FEW_COPIES))
        own = FEW_BACKGROUNDS // len(set(self.folds[:images].tolist()))
        return np.flatnonzero(np.where(self.source >= 0, self.turn <= copies, self.turn < own))


@dataclass(frozen=True)
class Material:
    """Rows as vectors; all arrays have one entry a row."""

    vectors: Floats
    classes: Classes
    folds: NDArray[np.intp]
    original: NDArray[np.bool_]
    """Whether the row is an image as it was given, not a copy or background."""
    source: NDArray[np.intp]
    """As in `Rows`."""


def deal(contents: Sequence[bytes], classes: Sequence[int]) -> list[int]:
    """A fold for each image: labels are spread evenly, equal contents share a fold.

    As many folds as the largest label has different images, at least 2 and at most 6
    (3 from 400 images on). The order is by content, so it does not depend on that of the input.
    """
    digests = [hashlib.sha256(content).hexdigest() for content in contents]
    largest = max(Counter(label for _, label in set(zip(digests, classes, strict=True))).values())
    count = min(max(2, largest), 6 if len(classes) < 400 else 3)
    fold_of: dict[str, int] = {}
    for _, digest in sorted(zip(classes, digests, strict=True)):
        fold_of.setdefault(digest, len(fold_of) % count)
    return [fold_of[digest] for digest in digests]


def make_rows(
    pictures: Sequence[Picture], classes: Sequence[int], folds: Sequence[int], seed: int
) -> Rows:
    """All pictures to train on, from the images (n), their classes (n) and folds (n).

    A copy shares the fold of its image, except for a label that has one image alone: its copies
    stand in for it when it is held out, since nothing else shows that label.
    """
    rng = np.random.default_rng(seed)
    per_label = Counter(classes)
    spread = Counter(label for label, _ in set(zip(classes, folds, strict=True)))
    rows: list[Picture] = list(pictures)
    source = list(range(len(pictures)))
    row_folds = list(folds)
    turn = [0] * len(pictures)
    for index, picture in enumerate(pictures):
        number = per_label[classes[index]]
        copies = int(np.clip(ROWS / (len(per_label) * number), 1, MOST_COPIES))
        rows += [vary(picture, rng) for _ in range(copies)]
        source += [index] * copies
        row_folds += [ALWAYS if spread[classes[index]] == 1 else folds[index]] * copies
        turn += range(1, copies + 1)
    row_classes = [classes[index] for index in source]
    for fold in sorted(set(folds)):
        own = [picture for picture, at in zip(pictures, folds, strict=True) if at == fold]
        made = backgrounds(own, BACKGROUNDS // len(set(folds)), rng)
        rows += made
        source += [-1] * len(made)
        row_folds += [fold] * len(made)
        turn += range(len(made))
        row_classes += [len(per_label)] * len(made)
    whole = (np.array(values, dtype=np.intp) for values in (row_classes, row_folds, source, turn))
    return Rows(rows, *whole)


def prepare(rows: Rows, vectors: Floats, chosen: NDArray[np.intp]) -> Material:
    """The material of the chosen rows, whose vectors have the shape (len(chosen), d).

    Backgrounds that happen to show one of the labels are left out.
    """
    source = rows.source[chosen]
    original = (source >= 0) & (rows.turn[chosen] == 0)
    classes = rows.classes[chosen]
    foreign = source < 0
    kept = np.ones(len(chosen), dtype=bool)
    kept[foreign] = _unlike(vectors[foreign], vectors[original], classes[original])
    return Material(
        vectors[kept], classes[kept], rows.folds[chosen][kept], original[kept], source[kept]
    )


def _unlike(foreign: Floats, shown: Floats, classes: Classes) -> NDArray[np.bool_]:
    """Which backgrounds do not happen to show one of the labels (a printed digit may).

    Those that are nearer to an image than images of a label are to each other are left out, but
    no more than the nearest tenth: where a label is varied, near backgrounds teach most.
    """
    between = squared_distances(shown, shown)
    between[(classes[:, None] != classes) | np.eye(len(classes), dtype=bool)] = np.inf
    nearest = between.min(axis=1)
    known = nearest[np.isfinite(nearest)]
    usual = float(np.median(known)) if known.size else 0.0
    distance = squared_distances(foreign, shown).min(axis=1)
    limit = min(usual, float(np.quantile(distance, 0.1)))
    return np.asarray(distance >= limit)
