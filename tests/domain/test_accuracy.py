"""How good the model is, by samples with their interval and by its confidences alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.isotonic import IsotonicRegression

from loupe.domain.accuracy import (
    PRIOR_IMAGES,
    Calibration,
    calibrate,
    estimate,
    rate,
    sampling_interval,
)

Scored = list[tuple[float, bool]]
scored = st.lists(st.tuples(st.integers(0, 100).map(float), st.booleans()), min_size=2, max_size=60)


@given(st.integers(1, 200), st.data())
def test_an_interval_is_wilsons(of: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, of))

    measured = rate(hits, of)

    interval = binomtest(hits, of).proportion_ci(0.95, method="wilson")
    assert measured is not None
    assert (measured.low, measured.high) == pytest.approx((interval.low, interval.high), abs=1e-4)
    assert measured.low <= measured.share <= measured.high


def test_nothing_has_no_rate() -> None:
    assert rate(0, 0) is None


@given(scored)
def test_a_calibration_is_the_isotonic_regression(answers: Scored) -> None:
    confidences, right = zip(*answers, strict=True)
    reference = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
    prior = PRIOR_IMAGES / len(answers)
    values = np.array(confidences)
    reference.fit(values, (np.array(right, float) + prior * values / 100) / (1 + prior))

    calibration = calibrate(answers)

    for confidence in (0.0, 12.5, 50.0, 99.0, 100.0):
        assert calibration.right(confidence) == pytest.approx(
            float(reference.predict([confidence])[0]), abs=1e-6
        )


@given(scored)
def test_the_estimate_of_the_images_that_calibrated_it_lies_between_accuracy_and_confidence(
    answers: Scored,
) -> None:
    accuracy = sum(right for _, right in answers)
    promised = PRIOR_IMAGES * sum(confidence / 100 for confidence, _ in answers) / len(answers)

    measured = estimate(calibrate(answers), [confidence for confidence, _ in answers])

    assert measured == pytest.approx((accuracy + promised) / (len(answers) + PRIOR_IMAGES))


def test_less_sure_answers_are_expected_to_be_less_right() -> None:
    answered = [(30.0, False), (40.0, True), (50.0, False), (90.0, True)]
    calibration = calibrate(answered * 500)

    assert estimate(calibration, [90.0]) == pytest.approx(1.0, abs=0.01)
    assert estimate(calibration, [20.0]) == pytest.approx(0.0, abs=0.01)
    assert estimate(calibration, [40.0, 90.0]) == pytest.approx(0.75, abs=0.01)


def test_without_images_nothing_is_estimated() -> None:
    assert estimate(calibrate([(1.0, True)]), []) is None
    assert estimate(Calibration(), [1.0]) is None


@pytest.mark.parametrize(
    ("images_a_day", "interval"),
    [(0.0, 5), (10.0, 5), (100.0, 8), (1000.0, 87), (100_000.0, 1000)],
)
def test_a_week_brings_eighty_samples_where_there_is_the_traffic(
    images_a_day: float, interval: int
) -> None:
    assert sampling_interval(images_a_day, 1000) == interval


def test_the_operators_interval_is_never_exceeded() -> None:
    assert sampling_interval(1000.0, 20) == 20
    assert sampling_interval(0.0, 2) == 2
