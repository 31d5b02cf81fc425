"""What the benchmark of learning shows of answers, wrong labels, shifts and accuracy holds."""

from typing import Any

import pytest

from benchmarks.learning import measure
from benchmarks.learning_accuracy import SMALL, WITHIN, accuracy
from benchmarks.learning_drift import drift
from benchmarks.learning_page import page

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cheap() -> dict[str, Any]:
    """The parts that take seconds."""
    return {part: measure(part, 500)[1] for part in ("consensus", "suspects")}


def test_answers_are_weighed_better_than_by_majority(cheap: dict[str, Any]) -> None:
    shares = cheap["consensus"]

    assert shares["strict majority of two: conflicts"] > 0.2
    assert shares["Loupe, at most two answers: conflicts"] <= 0.05
    assert shares["Loupe, at most two answers: wrong"] <= 0.02
    assert shares["Loupe, one answer, a tenth held back: wrong"] <= 0.06


def test_wrong_labels_are_found(cheap: dict[str, Any]) -> None:
    assert cheap["suspects"]["precision"] >= 0.85
    assert cheap["suspects"]["recall"] >= 0.8


def test_shifts_are_seen_and_the_page_says_so(cheap: dict[str, Any]) -> None:
    found = drift([500])

    assert found["false alarms"] == 0
    shifts = found["shifts"]
    assert all(one["seen within 50 images"] == one["runs"] for one in shifts.values())
    estimated = accuracy([500, 501])
    assert all(estimated[name]["error"] <= WITHIN for name in SMALL)
    choice = {"goal": 0.97, "seeds": 1, "labels": {}, "of arrival": 0.7, "of random": 0.3}
    about = {"at": "2026-01-01", "machine": "2 cores", "seed": 500}
    measured = {"choice": choice, "drift": found, "accuracy": estimated, **cheap}
    text = page({**about, **measured, "photographs": {"skipped": "no stamps"}})
    assert "Without a shift there were 0 false alarms in 20 windows." in text
    assert "Not measured: no stamps." in text
