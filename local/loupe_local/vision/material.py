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
from loupe_local.vision.features import Embedding, Floats, embed

ROWS = 2400
"""About as many pictures as are trained on, copies included, unless there are more images."""
MOST_COPIES = 24
BACKGROUNDS = 400
ALWAYS = -1
"""Fold of what is trained on in every fold."""


@dataclass(frozen=True)
class Material:
    """Rows of all pictures; all arrays have one entry a row."""

    vectors: Floats
    classes: Classes
    folds: NDArray[np.intp]
    original: NDArray[np.bool_]
    """Whether the row is an image as it was given, not a copy or background."""
    source: NDArray[np.intp]
    """Index of the image that the row is or is a copy of; -1 for backgrounds."""


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


def prepare(
    pictures: Sequence[Picture],
    classes: Sequence[int],
    folds: Sequence[int],
    embedding: Embedding,
    seed: int,
) -> Material:
    """All rows to train on from the pictures (n), their classes (n) and folds (n).

    A copy shares the fold of its image, except for a label that has one image alone: its copies
    stand in for it when it is held out, since nothing else shows that label.
    """
    rng = np.random.default_rng(seed)
    per_label = Counter(classes)
    spread = Counter(label for label, _ in set(zip(classes, folds, strict=True)))
    rows: list[Picture] = list(pictures)
    source = list(range(len(pictures)))
    row_folds = list(folds)
    for index, picture in enumerate(pictures):
        number = per_label[classes[index]]
        copies = int(np.clip(ROWS / (len(per_label) * number), 1, MOST_COPIES))
        rows += [vary(picture, rng) for _ in range(copies)]
        source += [index] * copies
        row_folds += [ALWAYS if spread[classes[index]] == 1 else folds[index]] * copies
    shown = embed(rows, embedding)
    foreign, foreign_folds = _foreign(pictures, folds, rng)
    unseen = embed(foreign, embedding)
    kept = _unlike(unseen, shown[: len(pictures)], classes)
    background = len(per_label)
    return Material(
        vectors=np.concatenate([shown, unseen[kept]]),
        classes=np.concatenate(
            [np.array(classes, dtype=np.intp)[source], np.full(kept.sum(), background)]
        ),
        folds=np.concatenate([row_folds, np.array(foreign_folds, dtype=np.intp)[kept]]),
        original=np.arange(len(shown) + kept.sum()) < len(pictures),
        source=np.concatenate([source, np.full(kept.sum(), -1)]),
    )


def _foreign(
    pictures: Sequence[Picture], folds: Sequence[int], rng: np.random.Generator
) -> tuple[list[Picture], list[int]]:
    """Backgrounds, those of a fold made of the pictures of that fold alone."""
    made: list[Picture] = []
    made_folds: list[int] = []
    present = sorted(set(folds))
    for fold in present:
        own = [picture for picture, at in zip(pictures, folds, strict=True) if at == fold]
        made += backgrounds(own, BACKGROUNDS // len(present), rng)
        made_folds += [fold] * (len(made) - len(made_folds))
    return made, made_folds


def _unlike(foreign: Floats, shown: Floats, classes: Sequence[int]) -> NDArray[np.bool_]:
    """Which backgrounds do not happen to show one of the labels (a printed digit may).

    Those that are nearer to an image than images of a label are to each other are left out, but
    no more than the nearest tenth: where a label is varied, near backgrounds teach most.
    """
    labels = np.array(classes)
    between = squared_distances(shown, shown)
    between[(labels[:, None] != labels) | np.eye(len(labels), dtype=bool)] = np.inf
    nearest = between.min(axis=1)
    known = nearest[np.isfinite(nearest)]
    usual = float(np.median(known)) if known.size else 0.0
    distance = squared_distances(foreign, shown).min(axis=1)
    limit = min(usual, float(np.quantile(distance, 0.1)))
    return np.asarray(distance >= limit)
