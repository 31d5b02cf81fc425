"""Rule: a mutation run fails when the tests kill too few mutants, and a sample can be repeated."""

import tomllib

import pytest

from tools.mutants import ROOT, choose, configuration, judge

NAMES = [f"loupe.domain.sampling.x_every_nth__mutmut_{number}" for number in range(100)]


def outcome(killed: int, **others: int) -> dict[str, str]:
    """`{mutant: state}` with so many mutants in each state."""
    states = [state for state, count in {"killed": killed, **others}.items() for _ in range(count)]
    return dict(zip(NAMES, states, strict=False))


@pytest.mark.parametrize(
    ("states", "failed"),
    [
        (outcome(85, survived=15), False),
        (outcome(84, survived=16), True),
        (outcome(84, untested=16), True),
        (outcome(84, broken=16), True),
        (outcome(80, timeout=5, survived=15), False),
    ],
)
def test_a_run_fails_when_fewer_than_85_in_100_mutants_are_killed_or_never_end(
    states: dict[str, str], failed: bool
) -> None:
    assert judge(states)[1] == failed


def test_the_report_has_a_line_for_each_module_and_one_for_all() -> None:
    states = outcome(3, survived=1) | {"loupe.services.events.x_publish__mutmut_1": "killed"}

    lines, _ = judge(states)

    assert lines[:3] == [
        " 75.0%  loupe.domain.sampling: 3 killed, 1 survived",
        "100.0%  loupe.services.events: 1 killed",
        " 80.0%  all: 4 killed, 1 survived",
    ]


def test_a_seed_always_chooses_the_same_sample() -> None:
    first = choose(NAMES, 10, seed="7")

    assert len(set(first)) == 10
    assert choose(reversed(NAMES), 10, seed="7") == first
    assert choose(NAMES, 10, seed="8") != first


def test_a_sample_larger_than_all_mutants_is_all_of_them() -> None:
    assert sorted(choose(NAMES, 1000, seed="7")) == sorted(NAMES)


def test_the_tests_import_the_mutated_code() -> None:
    made = tomllib.loads(configuration((ROOT / "pyproject.toml").read_text()))["tool"]

    assert made["pytest"]["ini_options"]["pythonpath"][0] == "src"
    assert made["mutmut"]["only_mutate"] == ["src/loupe/domain/*", "src/loupe/services/*"]
