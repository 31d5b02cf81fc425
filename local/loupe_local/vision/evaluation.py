"""How good a model is on images it was not trained on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
BINS = 10


@dataclass(frozen=True)
class LabelMetrics:
    """One label on the test images; a label is decided when its confidence reaches the threshold.

    `threshold` is 0..1 as Rekognition's assumed threshold. All others are 0 where
    `test_images` is 0.
    """

    f1: float
    precision: float
    recall: float
    threshold: float
    test_images: int


@dataclass(frozen=True)
class Evaluation:
    """The test images as a whole.

    `f1`, `precision` and `recall` are means over the labels that have test images.
    `calibration_error` is the expected calibration error of the top label's confidence, 0..1.
    """

    f1: float
    precision: float
    recall: float
    labels: dict[str, LabelMetrics]
    calibration_error: float
    test_images: int


def calibration_error(confidence: Reals, right: NDArray[np.bool_]) -> float:
    """Expected calibration error over ten even bins (Naeini et al., AAAI 2015).

    `confidence` (n,) is 0..1, `right` (n,) says whether the top label was right. 0 for no images.
    """
    if not len(confidence):
        return 0.0
    bins = np.minimum((confidence * BINS).astype(np.intp), BINS - 1)
    gaps = np.bincount(bins, weights=confidence - right, minlength=BINS)
    return float(np.abs(gaps).sum() / len(confidence))


def best_threshold(confidence: Reals, own: NDArray[np.bool_]) -> float:
    """The confidence 0..1 that decides a label with the best F1, halfway between two scores.

    `confidence` (n,) is that of one label, `own` (n,) whether the image is of the label.
    0.5 where no image is.
    """
    if not own.any():
        return 0.5
    order = np.argsort(-confidence, kind="stable")
    scores, hits = confidence[order], np.cumsum(own[order])
    f1 = 2 * hits / (np.arange(1, len(own) + 1) + own.sum())
    follows = np.append(scores[1:], 0.0)
    f1[scores == follows] = -1
    last = int(np.flatnonzero(f1 == f1.max())[-1])
    return float((scores[last] + follows[last]) / 2)


def evaluate(
    labels: Sequence[str], thresholds: Sequence[float], confidence: Reals, truth: Sequence[str]
) -> Evaluation:
    """The evaluation of confidences (n, labels) in 0..1 for images of the labels `truth` (n,)."""
    actual = np.array([labels.index(label) for label in truth], dtype=np.intp)
    by_label = {
        label: _measure(confidence[:, index] >= threshold, actual == index, threshold)
        for index, (label, threshold) in enumerate(zip(labels, thresholds, strict=True))
    }
    tested = [metrics for metrics in by_label.values() if metrics.test_images]
    top = confidence.argmax(axis=1)
    return Evaluation(
        f1=_mean([metrics.f1 for metrics in tested]),
        precision=_mean([metrics.precision for metrics in tested]),
        recall=_mean([metrics.recall for metrics in tested]),
        labels=by_label,
        calibration_error=calibration_error(confidence.max(axis=1), top == actual),
        test_images=len(truth),
    )


def _measure(decided: NDArray[np.bool_], own: NDArray[np.bool_], threshold: float) -> LabelMetrics:
    hits, images = int((decided & own).sum()), int(own.sum())
    if not images:
        return LabelMetrics(0.0, 0.0, 0.0, threshold, 0)
    precision = hits / max(1, int(decided.sum()))
    recall = hits / images
    f1 = 2 * hits / (int(decided.sum()) + images)
    return LabelMetrics(f1, precision, recall, threshold, images)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else 0.0
