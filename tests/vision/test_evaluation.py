"""The measures that are reported."""

import numpy as np
import pytest

from loupe_local.vision.evaluation import best_threshold, calibration_error, evaluate


def test_calibration_error_is_the_gap_between_confidence_and_accuracy() -> None:
    confidence = np.array([0.95] * 10)
    assert calibration_error(confidence, np.arange(10) < 5) == pytest.approx(0.45)


def test_calibration_error_of_nothing_is_zero() -> None:
    assert calibration_error(np.array([]), np.array([], dtype=bool)) == 0


def test_threshold_lies_halfway_between_the_last_own_and_the_first_other() -> None:
    confidence = np.array([0.9, 0.7, 0.3, 0.1])
    own = np.array([True, True, False, False])
    assert best_threshold(confidence, own) == pytest.approx(0.5)


def test_threshold_does_not_split_equal_scores() -> None:
    confidence = np.array([0.8, 0.8, 0.2])
    assert best_threshold(confidence, np.array([True, False, False])) == pytest.approx(0.5)


def test_labels_are_decided_each_by_its_own_threshold() -> None:
    confidence = np.array([[0.6, 0.3], [0.4, 0.55], [0.1, 0.2]])
    result = evaluate(["a", "b"], [0.5, 0.25], confidence, ["a", "b", "b"])
    assert result.labels["a"].f1 == 1
    assert result.labels["b"].precision == 0.5
    assert result.labels["b"].recall == 0.5
    assert result.f1 == pytest.approx(0.75)
    assert result.test_images == 3


def test_a_label_without_test_images_does_not_lower_the_mean() -> None:
    result = evaluate(["a", "b"], [0.5, 0.5], np.array([[0.9, 0.1]]), ["a"])
    assert result.f1 == 1
    assert result.labels["b"].test_images == 0
