"""How far people agree, beyond chance."""

from statistics import fmean

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from loupe.domain.agreement import cohens_kappa, krippendorffs_alpha

LABELS = st.sampled_from(["cat", "dog", "emu"])
pairs = st.lists(st.tuples(LABELS, LABELS), min_size=1, max_size=40)


@given(pairs)
def test_kappa_is_scikit_learns(answers: list[tuple[str, str]]) -> None:
    ours, theirs = zip(*answers, strict=True)
    assume(len({*ours, *theirs}) > 1)

    assert cohens_kappa(answers) == pytest.approx(cohen_kappa_score(ours, theirs))


def test_one_label_alone_says_nothing() -> None:
    assert cohens_kappa([]) is None
    assert cohens_kappa([("cat", "cat")] * 5) is None
    assert krippendorffs_alpha([]) is None
    assert krippendorffs_alpha([["cat", "cat"], ["cat", "cat"]]) is None
    assert krippendorffs_alpha([["cat"], ["dog"]]) is None


def test_alpha_of_the_published_example() -> None:
    # Krippendorff, "Computing Krippendorff's alpha-reliability" (2011), example C: four observers,
    # twelve units, missing answers as a dot.
    observers = ["123321412...", "1233224125.3", ".3332342251.", "12332441251."]
    images = [[row[unit] for row in observers if row[unit] != "."] for unit in range(12)]

    assert krippendorffs_alpha(images) == pytest.approx(0.743, abs=0.001)


@given(pairs)
def test_alpha_of_two_people_tends_to_scotts_pi(answers: list[tuple[str, str]]) -> None:
    alpha = krippendorffs_alpha(answers)

    assume(alpha is not None)
    assert alpha is not None
    said = [label for pair in answers for label in pair]
    expected = fmean(said.count(label) / len(said) for label in said)
    pi = (fmean(ours == theirs for ours, theirs in answers) - expected) / (1 - expected)
    assert alpha == pytest.approx(pi + (1 - pi) / len(said))
