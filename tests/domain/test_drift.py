"""Business rule: a shift of what the model sees is noticed, and only a shift is."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ecdf, ks_2samp

from loupe.domain.drift import (
    BASELINE,
    FEWEST,
    LOOKS,
    SIGNIFICANCE,
    WINDOW,
    distance,
    find_drift,
    p_value,
)

samples = st.lists(st.integers(0, 30).map(float), min_size=1, max_size=80)
DRAW = random.Random(7)


def confidences(mean: float, count: int) -> list[float]:
    """Confidences of a model that is as sure as `mean` on average."""
    return [min(100.0, max(0.0, DRAW.gauss(mean, 12.0))) for _ in range(count)]


@given(samples, samples)
def test_the_distance_is_that_of_kolmogorov_and_smirnov(
    left: list[float], right: list[float]
) -> None:
    values = sorted({*left, *right})
    ours, theirs = (ecdf(sample).cdf.evaluate(values) for sample in (left, right))

    assert distance(left, right) == pytest.approx(max(abs(ours - theirs)))


@pytest.mark.parametrize("statistic", [0.05, 0.1, 0.2, 0.3, 0.4, 0.5])
@pytest.mark.parametrize("reference", [90, 150, 400])
def test_chance_is_as_likely_as_the_exact_test_says(statistic: float, reference: int) -> None:
    left = [float(n) for n in range(WINDOW)]
    shift = statistic * WINDOW
    right = [n * WINDOW / reference + shift for n in range(reference)]
    exact = ks_2samp(left, right, method="exact")

    assert p_value(float(exact.statistic), WINDOW, reference) == pytest.approx(
        exact.pvalue, abs=0.03
    )


def test_a_less_sure_window_is_a_shift() -> None:
    drift = find_drift(confidences(60, WINDOW), confidences(90, BASELINE), [])

    assert drift is not None
    assert drift.reference == "its first images in production"
    assert drift.p < SIGNIFICANCE / LOOKS
    assert drift.statistic > 0.5


def test_a_surer_window_is_a_shift_from_production_and_none_from_the_harder_holdout() -> None:
    window = confidences(95, WINDOW)

    assert find_drift(window, confidences(60, BASELINE), []) is not None
    assert find_drift(window, [], confidences(60, 90)) is None


def test_before_there_is_a_baseline_the_holdout_is_compared_with() -> None:
    drift = find_drift(confidences(50, WINDOW), confidences(50, BASELINE - 1), confidences(90, 90))

    assert drift is not None
    assert drift.reference == "the holdout"


@pytest.mark.parametrize(
    ("window", "holdout"), [(WINDOW - 1, 90), (WINDOW, FEWEST - 1), (WINDOW, 0)]
)
def test_too_few_images_show_nothing(window: int, holdout: int) -> None:
    assert find_drift(confidences(20, window), [], confidences(90, holdout)) is None


def test_windows_of_the_same_images_raise_no_alarm() -> None:
    baseline = confidences(80, BASELINE)

    alarms = [find_drift(confidences(80, WINDOW), baseline, []) for _ in range(200)]

    assert sum(alarm is not None for alarm in alarms) <= 1
