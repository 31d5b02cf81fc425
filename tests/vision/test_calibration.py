"""What the calibration makes of foreign images and of withheld labels."""

import numpy as np
import pytest

from loupe_local.vision.calibration import Reals, fit_calibration, fit_strictly
from loupe_local.vision.classifier import Classes, Scores

BACKGROUND = 2


def held_out(rng: np.random.Generator) -> tuple[Scores, Reals, Classes]:
    """Sixty images of two labels with the higher score right, and sixty backgrounds."""
    classes = np.repeat([0, 1, BACKGROUND], [30, 30, 60])
    scores = np.eye(3)[classes] * rng.uniform(0.5, 1, (120, 1)) + rng.normal(0, 0.1, (120, 3))
    return scores, np.where(classes == BACKGROUND, 1.0, 0.0), classes


def with_withheld(top: float, rng: np.random.Generator) -> tuple[float, float]:
    """Mean confidence in the known images' labels, without and with forty withheld images whose
    score of a label is about `top`."""
    scores, novelty, classes = held_out(rng)
    extra = rng.normal(0, 0.1, (40, 3)) + np.array([top, 0, 0])
    withheld = np.arange(160) >= 120
    all_scores = np.concatenate([scores, extra])
    all_novelty, all_classes = np.append(novelty, [0.0] * 40), np.append(classes, [BACKGROUND] * 40)
    loose, _ = fit_calibration(scores, novelty, classes, 6.0)
    strict = fit_strictly(all_scores, all_novelty, all_classes, withheld, 6.0)
    before, after = (
        float(np.exp(fitted.log_probabilities(scores[:60], novelty[:60])).max(axis=1).mean())
        for fitted in (loose, strict)
    )
    return before, after


def test_an_image_that_is_new_is_less_likely_of_a_label() -> None:
    scores, novelty, classes = held_out(np.random.default_rng(0))
    fitted, losses = fit_calibration(scores, novelty, classes, 6.0)
    near, far = (
        np.exp(fitted.log_probabilities(np.array([[0.5, 0.0, 0.2]]), np.array([value])))[0, 0]
        for value in (0.0, 1.0)
    )
    assert near > far
    assert losses.shape == (60,)


def test_withheld_labels_lower_the_confidence_where_they_are_told_apart() -> None:
    before, after = with_withheld(0.45, np.random.default_rng(0))
    assert after < before - 0.1


def test_withheld_labels_that_look_like_the_others_say_nothing() -> None:
    before, after = with_withheld(0.8, np.random.default_rng(0))
    assert after == pytest.approx(before, abs=0.02)
