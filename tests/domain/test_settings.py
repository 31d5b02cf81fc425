"""Business rule: a setting takes only its allowed values, and says what they are."""

import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loupe.domain.settings import CATALOGUE, Setting, Settings, label_list, not_allowed, setting
from loupe.errors import InvalidSetting, NotFound

NEVER = ("", " 1", "1 ", "1\n")
LINE_ENDS = ("\n", "\r\n", "\r", "\x85", "\u2028", "\u2029")
"""What Java's `$`, or Python's, passes over at the end of a text."""
NOT_NUMBERS = ("abc", "True", "NaN", "1e3", "１", "0x1")
BAD: dict[str, tuple[str, ...]] = {
    "Enable-Automatic-Training": ("True", "FALSE", "1", "yes", "abc", "NaN", "1.5", "-1"),
    "Automatic-Training-Poll-Frequency": (*NOT_NUMBERS, "0", "1441", "1.5", "-1", "01"),
    "Minimum-Untrained-Images": (*NOT_NUMBERS, "0", "1.5", "-1", "01"),
    "Minimum-F1-Score": (*NOT_NUMBERS, "1.5", "-1", "1.01", "0.123", ".5"),
    "Minimum-Inference-Units": (*NOT_NUMBERS, "0", "1.5", "-1", "101", "1000", "01"),
    "Minimum-Label-Detection-Confidence": (*NOT_NUMBERS, "100.01", "101", "-1", "1.234"),
    "Enable-A2I-Workflow": ("True", "abc", "1", "NaN", "1.5", "-1"),
    "Enable-Automatic-Human-Sampling": ("True", "abc", "1", "NaN", "1.5", "-1"),
    "Automatic-Human-Sampling-Frequency": (*NOT_NUMBERS, "0", "1441", "1.5", "-1"),
    "Human-Sampling-Interval": (*NOT_NUMBERS, "0", "1.5", "-1"),
    "Labels": ("a,", ",a", "a,,b", "a, b", "../x", "a/b", "a\\b", " a", "x" * 101, "a\tb\nc"),
    "Minimum-F1-Improvement": (*NOT_NUMBERS, "1.5", "-1.5", "--1", "0.001"),
    "Maximum-Label-F1-Drop": (*NOT_NUMBERS, "1.5", "-0.1", "0.123", ".1", "0.1\n"),
    "Review-Strategy": ("Arrival", "random", "margin,arrival", "margin\n"),
    "Minimum-Label-Certainty": (*NOT_NUMBERS, "1.5", "-0.1", "0.123", ".1", "0.1\n"),
    "Gold-Task-Interval": (*NOT_NUMBERS, "1.5", "-1"),
    "Minimum-Reviewer-Reliability": (*NOT_NUMBERS, "1.5", "-0.1", "0.123", ".1", "0.1\n"),
    "Enable-Automatic-Deployment": ("True", "abc", "1", "NaN", "1.5", "-1"),
    "Maximum-Inference-Units": (*NOT_NUMBERS, "0", "1.5", "-1", "101", "1000", "01"),
    "Stop-Model-When-Idle-Minutes": (*NOT_NUMBERS, "1.5", "-1"),
    "Reviewers-Per-Image": (*NOT_NUMBERS, "0", "4", "1.5", "-1"),
    "Maximum-Reviews-Per-Day": (*NOT_NUMBERS, "1.5", "-1"),
    "Show-Model-Guess": ("True", "abc", "1", "NaN", "1.5", "-1"),
    "Group-Images-By": ("Folder", "", "label", "none,folder", "prefix\n"),
    "Holdout-Percent": (*NOT_NUMBERS, "9", "51", "1.5", "-1", "20.0"),
}
GOOD = (
    ("Enable-Automatic-Training", "false"),
    ("Automatic-Training-Poll-Frequency", "1"),
    ("Automatic-Training-Poll-Frequency", "1440"),
    ("Minimum-F1-Score", "0"),
    ("Minimum-F1-Score", "1.00"),
    ("Minimum-Label-Detection-Confidence", "100"),
    ("Minimum-Label-Detection-Confidence", "99.95"),
    ("Minimum-F1-Improvement", "-1"),
    ("Minimum-F1-Improvement", "-0.05"),
    ("Labels", "cat"),
    ("Labels", "große Katze,犬,100 % (sure)"),
    ("Labels", "x" * 100),
    ("Maximum-Inference-Units", "100"),
    ("Labels", "a\u00a0b"),
    ("Holdout-Percent", "10"),
    ("Holdout-Percent", "50"),
)


def test_every_setting_has_a_list_of_values_that_it_refuses() -> None:
    assert set(BAD) == {known.name for known in CATALOGUE}


@pytest.mark.parametrize("name", BAD)
def test_every_default_is_an_allowed_value(name: str) -> None:
    known = setting(name)

    assert known.check(known.default) == known.default


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name in BAD for value in (*NEVER, *BAD[name])]
)
def test_a_bad_value_is_refused_with_the_name_and_what_is_valid(name: str, value: str) -> None:
    if name == "Labels" and value == "1\n":
        value = "1\n2"
    with pytest.raises(InvalidSetting) as refused:
        setting(name).check(value)

    assert name in str(refused.value)
    assert repr(value) in str(refused.value)
    assert setting(name).allowed in str(refused.value)


@pytest.mark.parametrize(("name", "value"), GOOD)
def test_values_at_the_bounds_are_taken(name: str, value: str) -> None:
    assert setting(name).check(value) == value


def parameter_store_takes(known: Setting, value: str) -> bool:
    """Whether Java, to which the classes of characters are ASCII, finds the pattern in `value`."""
    return re.search(known.pattern, value, re.ASCII) is not None


@pytest.mark.parametrize("known", CATALOGUE, ids=lambda known: known.name)
@pytest.mark.parametrize("end", LINE_ENDS, ids=ascii)
def test_parameter_store_takes_no_line_break_after_a_value(known: Setting, end: str) -> None:
    assert parameter_store_takes(known, known.default)
    assert not parameter_store_takes(known, known.default + end)
    assert "$" not in known.pattern


BLANK = [chr(code) for code in range(sys.maxunicode + 1) if chr(code).isspace()]
"""Everything that Python counts as white space."""
labels = st.lists(
    st.text(st.one_of(st.sampled_from([*BLANK, "a", "ß", "犬"]), st.characters()), max_size=4),
    min_size=1,
    max_size=3,
).map(",".join)


@given(labels)
def test_parameter_store_takes_labels_exactly_if_loupe_does(value: str) -> None:
    known = setting("Labels")
    taken = parameter_store_takes(known, value)

    assert taken == (re.fullmatch(known.pattern, value) is not None)
    if taken and value != "none":
        assert label_list(value) == tuple(dict.fromkeys(value.split(",")))
        assert all(part == part.strip() for part in value.split(","))
        assert len(value.splitlines()) == 1


@pytest.mark.parametrize("blank", BLANK, ids=ascii)
def test_a_label_neither_begins_nor_ends_with_white_space(blank: str) -> None:
    for value in (f"{blank}a", f"a{blank}", f"a,{blank}b", f"a{blank},b"):
        assert not parameter_store_takes(setting("Labels"), value)


def test_parameters_become_typed_settings() -> None:
    found = Settings.from_parameters(
        {
            "Enable-Automatic-Training": "false",
            "Minimum-F1-Score": "0.75",
            "Labels": "dog,cat,dog",
            "Stop-Model-When-Idle-Minutes": "30",
        }
    )

    assert found.automatic_training is False
    assert found.minimum_f1 == 0.75
    assert found.labels == ("dog", "cat")
    assert found.idle_minutes == 30


def test_a_missing_parameter_counts_with_its_default() -> None:
    found = Settings.from_parameters({})

    assert found.automatic_training is True
    assert found.minimum_confidence == 70.0
    assert found.labels == ()
    assert found.holdout_percent == 20


@pytest.mark.parametrize(
    ("name", "value", "field", "default"),
    [
        ("Minimum-F1-Score", "NaN", "minimum_f1", 0.8),
        ("Minimum-Inference-Units", "500", "minimum_inference_units", 1),
        ("Minimum-Label-Detection-Confidence", "80\n70", "minimum_confidence", 70.0),
    ],
)
def test_a_stored_value_that_is_not_allowed_counts_with_its_default_and_is_named(
    name: str, value: str, field: str, default: object
) -> None:
    """Nothing stops working for it: it may be of an earlier release, or made without a pattern."""
    assert getattr(Settings.from_parameters({name: value}), field) == default

    (sentence,) = not_allowed({name: value, "Labels": "cat"})

    assert name in sentence
    assert repr(value) in sentence
    assert setting(name).default in sentence


@pytest.mark.parametrize(
    ("name", "value", "field", "counts"),
    [
        ("Enable-A2I-Workflow", "false\n", "review", False),
        ("Minimum-Label-Detection-Confidence", " 80\r\n", "minimum_confidence", 80.0),
        ("Labels", "cat,big  dog\n", "labels", ("cat", "big  dog")),
    ],
)
def test_a_value_with_blanks_around_it_counts_without_them_and_is_named(
    name: str, value: str, field: str, counts: object
) -> None:
    """`aws ssm put-parameter --value file://x` brings the line break that ends the file."""
    assert getattr(Settings.from_parameters({name: value}), field) == counts

    (sentence,) = not_allowed({name: value})

    assert repr(value) in sentence
    assert f"counts as {value.strip()!r}" in sentence


def test_none_means_no_labels() -> None:
    assert label_list("none") == ()


def test_an_unknown_setting_is_refused_with_the_names_that_there_are() -> None:
    with pytest.raises(NotFound) as refused:
        setting("Minimum-F1")

    assert "Minimum-F1-Score" in str(refused.value)
