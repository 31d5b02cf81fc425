"""Business rule: challenger and champion are measured on the same images, honestly."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from loupe.domain.comparison import (
    MAXIMUM_HOLDOUT,
    Demands,
    Prediction,
    Verdict,
    bootstrap_interval,
    confusion,
    judge,
    label_falls,
    macro_f1,
    sample,
    score,
    side_by_side,
)
from loupe.domain.manifest import ManifestEntry

LABELS = ("cat", "dog", "emu")
NOTHING = "nothing"
AT = "2026-01-01T00:00:00.000Z"


def images(*labels: str, source: str = "uploaded") -> list[ManifestEntry]:
    return [
        ManifestEntry(f"s3://b/{n}", label, f"c{n:04d}", source, AT)
        for n, label in enumerate(labels)
    ]


def said(*labels: str | None, confidence: float = 90.0) -> dict[str, Prediction]:
    return {f"c{n:04d}": Prediction(label, confidence) for n, label in enumerate(labels)}


def verdict(
    truth: list[ManifestEntry],
    new: dict[str, Prediction],
    old: dict[str, Prediction] | None,
    new_labels: tuple[str, ...] = ("cat", "dog"),
    old_labels: tuple[str, ...] = ("cat", "dog"),
    gate: float = 0.8,
    improvement: float = 0.0,
    drop: float = 1.0,
) -> Verdict:
    demands = Demands(gate, improvement, drop)
    return judge(truth, new, old, new_labels, old_labels, demands)


# The measure


@given(
    st.lists(
        st.tuples(st.sampled_from(LABELS), st.sampled_from((*LABELS, None))),
        min_size=1,
        max_size=60,
    )
)
def test_macro_f1_is_that_of_scikit_learn(pairs: list[tuple[str, str | None]]) -> None:
    true = [label for label, _ in pairs]
    predicted = [label or NOTHING for _, label in pairs]
    occurring = sorted((set(true) | set(predicted)) - {NOTHING})

    expected = f1_score(true, predicted, labels=occurring, average="macro", zero_division=0.0)

    assert macro_f1(pairs, LABELS) == pytest.approx(float(expected))


def test_a_label_that_never_occurs_does_not_count() -> None:
    assert macro_f1([("cat", "cat")], LABELS) == 1.0
    assert macro_f1([], LABELS) == 0.0


def test_a_score_tells_what_is_accepted_at_the_confidence_and_how_right_it_is() -> None:
    truth = images("cat", "cat", "dog", "dog", "dog")
    predictions = said("cat", "dog", "dog", "cat", None)
    predictions["c0002"] = Prediction("dog", 70.0)
    predictions["c0003"] = Prediction("cat", 69.9)
    predictions["c0004"] = Prediction(None, 0.0)

    measured = score(truth, predictions, ("cat", "dog"), minimum_confidence=70.0)

    assert measured.images == 5
    assert measured.accepted_share == pytest.approx(3 / 5)
    assert measured.accepted_accuracy == pytest.approx(2 / 3)


def test_nothing_accepted_has_no_accuracy() -> None:
    found = score(images("cat"), said("cat", confidence=10.0), ("cat",), 70.0)

    assert found.accepted_accuracy is None
    assert score([], {}, ("cat",), 70.0).accepted_share == 0.0


def test_f1_is_told_for_each_source() -> None:
    truth = [
        ManifestEntry("u", "cat", "c0000", "uploaded", AT),
        ManifestEntry("u", "cat", "c0001", "reviewed", AT),
    ]

    found = score(truth, said("cat", "dog"), ("cat", "dog"), 0.0)

    assert found.source_f1["uploaded"] == 1.0
    assert found.source_f1["reviewed"] == 0.0


def test_only_images_of_the_labels_that_a_version_knows_score_it() -> None:
    found = score(images("cat", "emu"), said("cat", "cat"), ("cat", "dog"), 0.0)

    assert found.images == 1
    assert found.f1 == 1.0


# The verdict


def test_without_a_champion_the_gate_was_enough() -> None:
    assert verdict(images("cat"), said("dog"), None).passed


def test_a_tie_passes() -> None:
    truth = images("cat", "dog", "cat", "dog")

    found = verdict(truth, said("cat", "dog", "dog", "dog"), said("cat", "dog", "dog", "dog"))

    assert found.passed
    assert found.difference == 0.0
    assert found.interval == (0.0, 0.0)
    assert "not proven" in found.reason


def test_a_worse_challenger_does_not_pass() -> None:
    truth = images(*["cat", "dog"] * 20)

    found = verdict(truth, said(*["cat", "cat"] * 20), said(*["cat", "dog"] * 20))

    assert not found.passed
    assert "does not beat" in found.reason
    assert found.difference is not None
    assert found.difference < 0


def test_the_improvement_that_is_asked_for_decides() -> None:
    truth = images(*["cat", "dog"] * 10)
    new = said(*["cat", "dog"] * 10)
    old = said(*["cat", "dog"] * 9, "cat", "cat")
    gain = verdict(truth, new, old).difference

    assert gain is not None
    assert verdict(truth, new, old, improvement=round(gain - 0.005, 3)).passed
    assert not verdict(truth, new, old, improvement=round(gain + 0.005, 3)).passed


def test_a_negative_improvement_lets_a_slightly_worse_challenger_through() -> None:
    truth = images(*["cat", "dog"] * 10)
    new = said(*["cat", "dog"] * 9, "cat", "cat")

    assert verdict(truth, new, said(*["cat", "dog"] * 10), improvement=-0.2).passed


def test_a_clear_gain_is_proven_and_its_interval_excludes_zero() -> None:
    truth = images(*["cat", "dog"] * 30)

    found = verdict(truth, said(*["cat", "dog"] * 30), said(*["dog", "dog"] * 30))

    assert found.interval is not None
    assert found.interval[0] > 0
    assert "not proven" not in found.reason


def test_below_thirty_images_the_reason_says_how_few() -> None:
    few = images(*["cat", "dog"] * 14)
    enough = images(*["cat", "dog"] * 15)

    assert "only 28 images" in verdict(few, said(*["cat"] * 28), said(*["cat"] * 28)).reason
    assert "only" not in verdict(enough, said(*["cat"] * 30), said(*["cat"] * 30)).reason


def test_a_new_label_must_reach_the_gate_itself() -> None:
    truth = images("cat", "dog", "emu", "emu")
    old = said("cat", "dog", "cat", "cat")

    weak = verdict(truth, said("cat", "dog", "emu", "cat"), old, LABELS)
    strong = verdict(truth, said("cat", "dog", "emu", "emu"), old, LABELS)

    assert not weak.passed
    assert "emu" in weak.reason
    assert strong.passed


def test_labels_that_only_the_challenger_knows_are_not_held_against_the_champion() -> None:
    truth = images("cat", "dog", "emu")

    found = verdict(truth, said("cat", "cat", "emu"), said("cat", "dog", "dog"), LABELS)

    assert not found.passed


def test_versions_without_a_common_label_cannot_be_compared() -> None:
    found = verdict(images("emu"), said("emu"), said("cat"), ("emu",), ("cat",))

    assert found.passed
    assert found.interval is None


@settings(max_examples=5)
@given(st.integers(0, 1000))
def test_the_interval_holds_the_difference_and_is_the_same_every_time(seed: int) -> None:
    dice = random.Random(seed)
    truth = [dice.choice(LABELS) for _ in range(40)]
    new = [(true, dice.choice((true, "cat"))) for true in truth]
    old = [(true, dice.choice((true, "dog"))) for true in truth]

    low, high = bootstrap_interval(new, old, LABELS)

    assert low <= high
    assert (low, high) == bootstrap_interval(new, old, LABELS)


def test_the_interval_is_as_wide_as_resampling_with_numpy_makes_it() -> None:
    dice = np.random.default_rng(1)
    truth = [LABELS[n] for n in dice.integers(0, 3, 60)]
    new: list[tuple[str, str | None]] = [(t, t if dice.random() < 0.9 else "cat") for t in truth]
    old: list[tuple[str, str | None]] = [(t, t if dice.random() < 0.7 else "dog") for t in truth]
    drawn = [dice.integers(0, 60, 60) for _ in range(400)]
    differences = [
        macro_f1([new[i] for i in d], LABELS) - macro_f1([old[i] for i in d], LABELS) for d in drawn
    ]

    found = bootstrap_interval(new, old, LABELS)

    assert found == pytest.approx(tuple(np.percentile(differences, [5, 95])), abs=0.05)


# No label is left behind

FALL = ["cat"] * 20 + ["dog"] * 20 + ["emu"] * 20


def test_a_better_version_does_not_pass_when_a_label_falls_and_the_reason_names_it() -> None:
    truth = images(*FALL)
    old = said(*["cat"] * 20, *["dog"] * 20, *["cat"] * 20)
    new = said(*["cat"] * 20, *["emu"] * 12, *["dog"] * 8, *["emu"] * 20)

    found = verdict(truth, new, old, LABELS, LABELS, drop=0.1)

    assert found.difference is not None
    assert found.difference > 0
    assert not found.passed
    assert [fall.label for fall in found.falls] == ["dog"]
    assert "more than the 0.1 allowed: dog from 1.000 to 0.571 (interval -0." in found.reason


def test_a_fall_of_few_images_can_be_chance_and_passes_but_is_named() -> None:
    truth = images(*["cat"] * 20, "dog", "dog")
    old = said(*["cat"] * 19, "dog", "dog", "dog")
    new = said(*["cat"] * 20, "dog", "cat")

    found = verdict(truth, new, old, drop=0.1, improvement=-1.0)

    assert found.passed
    assert [fall.label for fall in found.falls] == ["dog"]
    assert "can be chance: dog from 0.800 to 0.667" in found.reason


@pytest.mark.parametrize(("drop", "passed"), [(0.42, False), (0.43, True)])
def test_a_label_may_fall_by_what_the_setting_allows(drop: float, passed: bool) -> None:
    truth = images(*FALL)
    new = said(*["cat"] * 20, *["emu"] * 12, *["dog"] * 8, *["emu"] * 20)

    found = verdict(
        truth, new, said(*FALL), LABELS, LABELS, improvement=-1.0, drop=drop
    )  # dog: 1.000 to 0.571

    assert found.passed is passed
    assert (found.falls == ()) is passed


def test_a_new_label_and_one_that_is_gone_cannot_fall() -> None:
    truth = images(*["cat"] * 20, *["dog"] * 20, *["emu"] * 20)
    old = said(*["cat"] * 40, *["emu"] * 20)
    new = said(*["cat"] * 20, *["dog"] * 40)

    found = verdict(truth, new, old, ("cat", "dog"), ("cat", "emu"), drop=0.0, gate=0.5)

    assert found.passed
    assert found.falls == ()


def test_intervals_of_many_labels_hold_together() -> None:
    """The same fall is beyond chance beside one other label, and not among two hundred."""
    truth = ["cat"] * 12 + ["dog"] * 40
    old = [(label, label) for label in truth]
    new = [("cat", "dog") if n < 4 else pair for n, pair in enumerate(old)]

    (alone,) = label_falls(new, old, ("cat", "dog"), 0.1)
    (among_many,) = label_falls(new, old, ("cat", "dog", *map(str, range(200))), 0.1)

    assert not alone.can_be_chance
    assert among_many.can_be_chance
    assert alone.f1 == among_many.f1 == pytest.approx((0.8, 1.0))


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(*[st.sampled_from(LABELS)] * 3), min_size=1, max_size=12),
    st.floats(0, 1),
)
def test_falls_are_those_beyond_the_bound_the_largest_first(
    drawn: list[tuple[str, str, str]], allowed: float
) -> None:
    new = [(true, now) for true, now, _ in drawn]
    old = [(true, then) for true, _, then in drawn]

    falls = label_falls(new, old, LABELS, allowed)

    by_label = {fall.label: fall.f1[1] - fall.f1[0] for fall in falls}
    assert list(by_label.values()) == sorted(by_label.values(), reverse=True)
    assert all(size > allowed for size in by_label.values())
    for label in set(LABELS) - by_label.keys():
        assert macro_f1(old, [label]) - macro_f1(new, [label]) <= allowed + 1e-6


# The sample


def test_a_small_holdout_is_compared_whole() -> None:
    holdout = images(*["cat"] * 7)

    assert sample(holdout) == holdout


def test_a_large_holdout_is_compared_on_five_hundred_images_each_label_with_its_share() -> None:
    holdout = images(*["cat"] * 900, *["dog"] * 90, *["emu"] * 10)

    chosen = [image.label for image in sample(holdout)]

    assert len(chosen) == MAXIMUM_HOLDOUT
    assert abs(chosen.count("cat") - 450) <= 1
    assert abs(chosen.count("dog") - 45) <= 1
    assert abs(chosen.count("emu") - 5) <= 1


@given(st.randoms(use_true_random=False))
def test_the_sample_is_the_same_in_whatever_order_images_are_listed(dice: random.Random) -> None:
    holdout = images(*["cat"] * 40, *["dog"] * 20)
    shuffled = list(holdout)
    dice.shuffle(shuffled)

    assert sample(shuffled, 30) == sample(holdout, 30)


def test_confusion_counts_what_each_label_was_taken_for_and_what_got_none() -> None:
    images = [
        ManifestEntry(f"s3://b/{content}", label, content, "uploaded", AT)
        for content, label in (("1", "cat"), ("2", "cat"), ("3", "dog"), ("4", "owl"))
    ]
    said = {
        "1": Prediction("cat", 90),
        "2": Prediction("dog", 60),
        "3": Prediction(None, 0),
        "4": Prediction("cat", 80),
    }

    assert confusion(images, said, ("cat", "dog")) == [[1, 1, 0], [0, 0, 1]]


# Two versions side by side


def test_two_versions_are_compared_on_the_images_that_both_were_asked_about() -> None:
    truth = images("cat", "dog", "cat", "emu")
    left = said("cat", "cat", "cat")
    right = said("cat", "dog")

    found = side_by_side(truth, left, right, ("cat", "dog"))

    assert found.images == 2
    assert found.label_f1 == {"cat": (pytest.approx(2 / 3), 1.0), "dog": (0.0, 1.0)}
    assert list(found.f1) == pytest.approx([1 / 3, 1.0])


def test_versions_that_were_never_asked_about_the_same_image_have_nothing_to_compare() -> None:
    found = side_by_side(images("cat"), said("cat"), {}, ("cat",))

    assert found.images == 0
    assert found.label_f1 == {"cat": (None, None)}


def test_the_verdict_holds_both_scores_of_one_scale() -> None:
    found = verdict(images("cat", "dog"), said("cat", "dog"), said("cat", "cat"))

    assert found.images == 2
    assert found.f1 is not None
    assert found.difference == pytest.approx(found.f1[0] - found.f1[1])
    assert "Loupe's F1 1.000 against 0.333" in found.reason


def test_a_new_label_at_the_minimum_f1_is_good_enough() -> None:
    truth = images("cat", "emu", "emu")
    new = said("cat", "emu", "cat")  # emu: precision 1, recall 1/2, F1 2/3

    at_gate = verdict(truth, new, said("cat", "cat", "cat"), ("cat", "emu"), ("cat",), 2 / 3)
    above = verdict(truth, new, said("cat", "cat", "cat"), ("cat", "emu"), ("cat",), 0.67)

    assert "minimum F1" not in at_gate.reason
    assert "emu" in above.reason
