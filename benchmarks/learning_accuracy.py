"""How near the estimate without labels is to the truth when the images change.

An estimate from confidences holds while the model errs as it did on its holdout. The first five
changes are ones that a version may see without anybody noticing; the last three do so much harm
that the alarm of a shift is what counts, and show where the estimate ends.
"""

from collections.abc import Callable, Mapping, Sequence
from statistics import mean
from typing import Any

import numpy as np
from skimage.transform import rotate

from benchmarks.digits import Floats, Ints, Model, blurred, digits, features, noisy, turned
from loupe.domain.accuracy import calibrate, estimate

TRAINED = 200
HOLDOUT = 150
WITHIN = 0.04
Change = Callable[[Floats, Ints, np.random.Generator], tuple[Floats, Ints]]


def _other_labels(
    pictures: Floats, labels: Ints, generator: np.random.Generator
) -> tuple[Floats, Ints]:
    """Three labels, among them the most difficult ones, are ten times as frequent as the others."""
    kept = np.isin(labels, [1, 8, 9]) | (generator.random(len(labels)) < 0.1)
    return pictures[kept], labels[kept]


def _pictures(change: Callable[[Floats, np.random.Generator], Floats]) -> Change:
    return lambda pictures, labels, generator: (change(pictures, generator), labels)


SMALL: Mapping[str, Change] = {
    "other labels": _other_labels,
    "a little blurred": _pictures(lambda pictures, _: blurred(pictures, 0.5)),
    "a little noisy": _pictures(lambda pictures, generator: noisy(pictures, 0.1, generator)),
    "tilted by 10 degrees": _pictures(
        lambda pictures, _: np.array([rotate(picture, 10) for picture in pictures])
    ),
    "low contrast": _pictures(lambda pictures, generator: noisy(0.3 * pictures, 0.02, generator)),
}
LARGE: Mapping[str, Change] = {
    "blurred": _pictures(lambda pictures, _: blurred(pictures, 0.7)),
    "noisy": _pictures(lambda pictures, generator: noisy(pictures, 0.2, generator)),
    "turned by 90 degrees": _pictures(lambda pictures, _: turned(pictures)),
}


def accuracy(seeds: Sequence[int]) -> dict[str, Any]:
    """The true share of right answers and the estimate's error, by change."""
    runs = [_measure(seed) for seed in seeds]
    return {"seeds": len(seeds)} | {
        name: {
            "small": name not in LARGE,
            "accuracy": mean(run[name][0] for run in runs),
            "error": mean(abs(run[name][1] - run[name][0]) for run in runs),
            "worst error": max(abs(run[name][1] - run[name][0]) for run in runs),
        }
        for name in runs[0]
    }


def _measure(seed: int) -> dict[str, tuple[float, float]]:
    generator = np.random.default_rng(seed)
    data, shuffled = digits(), generator.permutation(len(digits().labels))
    trained, holdout, read = np.split(shuffled, [TRAINED, TRAINED + HOLDOUT])
    model = Model(data.features[trained], data.labels[trained])

    def said(vectors: Floats, labels: Ints) -> tuple[list[float], list[bool]]:
        rows = model.probabilities(vectors)
        return (100 * rows.max(axis=1)).tolist(), (rows.argmax(axis=1) == labels).tolist()

    known = said(data.features[holdout], data.labels[holdout])
    calibration = calibrate(list(zip(*known, strict=True)))
    found = {}
    for name, change in {**SMALL, **LARGE}.items():
        pictures, labels = change(data.pictures[read], data.labels[read], generator)
        sure, right = said(features(pictures), labels)
        found[name] = float(np.mean(right)), estimate(calibration, sure) or 0.0
    return found
