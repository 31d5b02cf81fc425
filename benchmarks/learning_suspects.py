"""How many wrong labels are found, and how many of those found are wrong: 10 % of 500 flipped."""

from collections.abc import Sequence
from statistics import mean
from typing import Any

import numpy as np

from benchmarks.digits import LABELS, confidences, digits, out_of_fold
from loupe.domain.suspects import Scored, find_suspects

IMAGES = 500
FLIPPED = 0.1
FOLDS = 5


def suspects(seeds: Sequence[int]) -> dict[str, Any]:
    """Precision and recall of the list, averaged and the worst."""
    found = [_measure(seed) for seed in seeds]
    precisions, recalls = zip(*found, strict=True)
    return {
        "seeds": len(seeds),
        "precision": mean(precisions),
        "recall": mean(recalls),
        "worst precision": min(precisions),
        "worst recall": min(recalls),
    }


def _measure(seed: int) -> tuple[float, float]:
    generator = np.random.default_rng(seed)
    data = digits()
    shown = generator.permutation(len(data.labels))[:IMAGES]
    labels = data.labels[shown].copy()
    flipped = generator.permutation(IMAGES)[: int(FLIPPED * IMAGES)]
    labels[flipped] = (labels[flipped] + generator.integers(1, len(LABELS), len(flipped))) % 10
    rows = out_of_fold(data.features[shown], labels, FOLDS, generator)
    scored = [
        Scored(str(number), LABELS[label], confidences(row))
        for number, (label, row) in enumerate(zip(labels, rows, strict=True))
    ]
    listed = {int(suspect.id) for suspect in find_suspects(scored)}
    right = len(listed & set(flipped.tolist()))
    return right / len(listed), right / len(flipped)
