"""Business rule: answers count as far as those who gave them were right before."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loupe.domain.certainty import (
    HIGHEST_RATE,
    PRIOR_RATE,
    AskAgain,
    Case,
    Conflict,
    Judgement,
    Reliability,
    Settled,
    certainty,
    count,
    estimate,
    fallen_below,
    judge,
    judge_by,
    leading,
    overall_rate,
    rate,
    settle,
)

LABELS = ("cat", "dog", "emu")
KNOWN = {"ada": {label: Reliability(100, 95) for label in LABELS}}
"""Ada was right in 95 of 100 answers about each label."""

people = st.sampled_from(["ada", "bob", "cleo"])
labels = st.sampled_from(LABELS)
answers = st.dictionaries(people, labels, max_size=3)
opinions = st.none() | st.dictionaries(labels, st.floats(0, 100), max_size=3)
cases = st.builds(Case, answers, st.just("model v1"), opinions)
counts = st.builds(
    lambda right, wrong: Reliability(right + wrong, right), *[st.integers(0, 50)] * 2
)
reliabilities = st.dictionaries(people, st.dictionaries(labels, counts))


@given(cases, reliabilities)
def test_certainties_are_probabilities(
    case: Case, known: Mapping[str, Mapping[str, Reliability]]
) -> None:
    certainties = certainty(case, known, LABELS)

    assert list(certainties) == list(LABELS)
    assert sum(certainties.values()) == pytest.approx(1)
    assert all(0 <= share <= 1 for share in certainties.values())


def test_two_answers_are_joined_by_bayes_rule() -> None:
    """By hand: somebody new is right with 0.85, and says each wrong label with 0.075."""
    agree = certainty(Case({"ada": "cat", "bob": "cat"}), {}, LABELS)
    differ = certainty(Case({"ada": "cat", "bob": "dog"}), {}, LABELS)

    assert agree["cat"] == pytest.approx(0.85**2 / (0.85**2 + 2 * 0.075**2))
    assert differ["cat"] == differ["dog"]
    assert differ["emu"] == pytest.approx(0.075**2 / (0.075**2 + 2 * 0.85 * 0.075))


def test_an_opinion_counts_as_far_as_its_version_was_right() -> None:
    case = Case({}, "model v1", {"cat": 80.0, "dog": 20.0})
    right = {"model v1": {label: Reliability(1000, 990) for label in LABELS}}
    wrong = {"model v1": {label: Reliability(1000, 100) for label in LABELS}}

    assert certainty(case, right, LABELS)["cat"] == pytest.approx(0.8, abs=0.01)
    assert certainty(case, wrong, LABELS)["cat"] == pytest.approx(0.38, abs=0.02)


def test_what_confidences_leave_of_100_is_shared_by_all_labels() -> None:
    right = {"model v1": {label: Reliability(10**6, 10**6) for label in LABELS}}

    certainties = certainty(Case({}, "model v1", {"cat": 40.0}), right, LABELS)

    assert certainties["cat"] == pytest.approx(0.6, abs=0.02)
    assert certainties["dog"] == pytest.approx(0.2, abs=0.02)


@pytest.mark.parametrize("opinion", [None, {}, {"cat": 0.0}, {"owl": 90.0}, {"cat": -5.0}])
def test_no_opinion_leaves_all_labels_even(opinion: Mapping[str, float] | None) -> None:
    certainties = certainty(Case({}, "model v1", opinion), {}, LABELS)

    assert certainties == pytest.approx(dict.fromkeys(LABELS, 1 / 3))


def test_an_answer_outside_the_labels_says_nothing() -> None:
    assert certainty(Case({"ada": "owl"}), {}, LABELS) == certainty(Case({}), {}, LABELS)


def test_without_labels_there_is_nothing_to_be_sure_of() -> None:
    with pytest.raises(ValueError, match="at least one label"):
        certainty(Case({}), {}, ())


def test_the_likeliest_label_leads_and_the_first_of_equals() -> None:
    assert leading({"cat": 0.2, "dog": 0.5, "emu": 0.3}) == ("dog", 0.5)
    assert leading({"cat": 0.4, "dog": 0.4, "emu": 0.2}) == ("cat", 0.4)


# Reliability


def test_somebody_new_is_believed_by_the_prior() -> None:
    assert rate({}, "cat") == overall_rate({}) == PRIOR_RATE


def test_many_answers_outweigh_the_prior_and_stay_below_certainty() -> None:
    assert rate(KNOWN["ada"], "cat") == pytest.approx(0.95, abs=0.01)
    assert rate({"cat": Reliability(10**6, 10**6)}, "cat") == HIGHEST_RATE
    assert rate({"cat": Reliability(10**6, 0)}, "cat") == pytest.approx(0, abs=0.01)


def test_of_another_label_the_rate_of_all_is_known() -> None:
    bad_at_cats = {"cat": Reliability(50, 10), "dog": Reliability(50, 50)}

    assert rate(bad_at_cats, "cat") < 0.3
    assert rate(bad_at_cats, "dog") > 0.9
    assert rate(bad_at_cats, "emu") == overall_rate(bad_at_cats)


# Asking


def test_without_an_answer_nothing_is_settled() -> None:
    assert settle(Case({}, "model v1", {"cat": 99.0}), {}, LABELS, 0.5, 2) == AskAgain("", 0.0)


def test_people_are_asked_until_a_label_is_sure_enough() -> None:
    one, two = Case({"bob": "cat"}), Case({"bob": "cat", "cleo": "cat"})

    again = settle(one, {}, LABELS, 0.9, 3)
    assert isinstance(again, AskAgain)
    assert again.label == "cat"
    assert again.certainty == pytest.approx(0.85)
    assert isinstance(settle(one, {}, LABELS, 0.8, 3), Settled)
    assert isinstance(settle(two, {}, LABELS, 0.9, 3), Settled)


def test_nobody_is_asked_beyond_the_most_people() -> None:
    undecided = Case({"bob": "cat", "cleo": "dog"})
    leaning = Case({"ada": "cat", "cleo": "dog"})

    assert isinstance(settle(undecided, {}, LABELS, 0.9, 3), AskAgain)
    assert isinstance(settle(undecided, {}, LABELS, 0.9, 2), Conflict)
    assert isinstance(settle(leaning, KNOWN, LABELS, 0.9, 2), Settled)


def test_a_conflict_says_how_likely_each_label_is() -> None:
    conflict = settle(Case({"bob": "cat", "cleo": "dog"}), {}, LABELS, 0.9, 2)

    assert isinstance(conflict, Conflict)
    assert conflict.certainties["cat"] == conflict.certainties["dog"] > conflict.certainties["emu"]


# Judging


def test_who_others_contradict_was_wrong() -> None:
    case = Case({"ada": "cat", "bob": "cat", "cleo": "dog"})

    assert judge(case, {}, LABELS) == [Judgement("cleo", "cat", False)]


def test_the_model_is_judged_by_people() -> None:
    case = Case({"ada": "dog"}, "model v1", {"cat": 70.0})

    assert Judgement("model v1", "dog", False) in judge(case, KNOWN, LABELS)


@given(answers, labels, reliabilities)
def test_nobodys_own_answer_decides_whether_they_are_judged(
    given_: dict[str, str], other: str, known: Mapping[str, Mapping[str, Reliability]]
) -> None:
    case = Case({**given_, "dan": "cat"})
    changed = Case({**given_, "dan": other})

    def of_dan(said: Case) -> list[str]:
        return [each.label for each in judge(said, known, LABELS) if each.name == "dan"]

    assert of_dan(case) == of_dan(changed)


def test_a_known_label_judges_everybody() -> None:
    case = Case({"ada": "cat", "bob": "dog"}, "model v1", {"dog": 60.0, "cat": 30.0})

    assert judge_by(case, "cat") == [
        Judgement("ada", "cat", True),
        Judgement("bob", "cat", False),
        Judgement("model v1", "cat", False),
    ]


def test_judgements_are_counted_beside_those_before() -> None:
    before = {"ada": {"cat": Reliability(3, 2)}}
    judged = [Judgement("ada", "cat", True), Judgement("bob", "dog", False)]

    assert count(before, judged) == {
        "ada": {"cat": Reliability(4, 3)},
        "bob": {"dog": Reliability(1, 0)},
    }
    assert before == {"ada": {"cat": Reliability(3, 2)}}


def test_who_falls_below_the_minimum_is_named_once() -> None:
    wrong = [Judgement("ada", "cat", False)]
    before: dict[str, dict[str, Reliability]] = {}
    told = []
    for number in range(6):
        told += [number for _ in fallen_below(0.7, before, wrong)]
        before = count(before, wrong)

    assert told == [1]
    assert overall_rate(before["ada"]) < 0.7


def test_reliabilities_are_estimated_from_all_images_at_once() -> None:
    images = [
        Case({"ada": label, "bob": label, "cleo": label if number % 3 else "emu"})
        for number, label in enumerate(("cat", "dog") * 15)
    ]

    known = estimate(images, LABELS)

    assert overall_rate(known["ada"]) > overall_rate(known["cleo"])
    assert sum(each.right for each in known["cleo"].values()) == 20
