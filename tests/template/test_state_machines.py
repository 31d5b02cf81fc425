"""Rules that both state machines keep: time limits, retries, catches, and names that exist."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from loupe.settings import BY_NAME
from tests.template.reading import (
    ROOT,
    granted,
    properties,
    references,
    resources,
    role_of,
    template,
)

MACHINES = {
    name: ROOT / machine["Properties"]["DefinitionUri"]
    for name, machine in resources("AWS::Serverless::StateMachine").items()
}
FILES = sorted((ROOT / "statemachine").glob("*.asl.json"))
NAMES_PER_CALL = 10
"""The most that GetParameters takes."""

NOT_CAUGHT = {
    ("DetectMachine", "Read settings"): "the message goes back to the queue",
    ("ImproveMachine", "Read settings"): "nothing has begun",
    ("ImproveMachine", "Check training"): "the next check takes the lease and the attempt over",
    ("ImproveMachine", "Close training"): "the next check takes the lease and the attempt over",
}
"""Tasks whose failure ends the execution, and why nothing is lost by that."""


def definition(machine: str) -> dict[str, Any]:
    """A machine's definition, as it stands in its file."""
    return dict(json.loads(MACHINES[machine].read_text()))


def states(machine: str) -> dict[str, dict[str, Any]]:
    """`{name: state}`."""
    return dict(definition(machine)["States"])


TASKS = [
    pytest.param(machine, name, id=f"{machine}: {name}")
    for machine in MACHINES
    for name, state in states(machine).items()
    if state["Type"] == "Task"
]
every_machine = pytest.mark.parametrize("machine", MACHINES)
every_task = pytest.mark.parametrize(("machine", "name"), TASKS)


def targets(state: dict[str, Any]) -> set[str]:
    """Names of the states that may come next."""
    found = {state[key] for key in ("Next", "Default") if key in state}
    branches = [*state.get("Choices", ()), *state.get("Catch", ())]
    return found | {branch["Next"] for branch in branches}


def texts(value: Any) -> Iterator[str]:
    """Every text inside `value`."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def called(state: dict[str, Any]) -> str | None:
    """The logical id of the function that a task calls, if it calls one."""
    arguments = state.get("Arguments", {})
    arn = arguments.get("FunctionName", state.get("Resource", ""))
    found = re.fullmatch(r"\$\{(\w+)\}", arn)
    return found[1] if found else None


def settings_read(machine: str) -> set[str]:
    """Names of the settings that the machine's first state reads."""
    names = states(machine)["Read settings"]["Arguments"]["Names"]
    return {name.removeprefix("/${Stack}/") for name in names}


def test_every_definition_belongs_to_a_machine() -> None:
    assert sorted(MACHINES.values()) == FILES


@every_machine
def test_expressions_are_jsonata(machine: str) -> None:
    assert definition(machine)["QueryLanguage"] == "JSONata"
    assert all("QueryLanguage" not in state for state in states(machine).values())


@every_task
def test_a_task_has_a_time_limit(machine: str, name: str) -> None:
    assert states(machine)[name]["TimeoutSeconds"] > 0


@every_task
def test_a_task_is_waited_for_as_long_as_its_function_may_run(machine: str, name: str) -> None:
    state = states(machine)[name]
    function = called(state)
    if function is None:
        return
    default = template()["Globals"]["Function"]["Timeout"]

    assert state["TimeoutSeconds"] >= properties(function).get("Timeout", default)


@every_task
def test_a_task_is_retried_with_jitter_and_a_cap(machine: str, name: str) -> None:
    retriers = states(machine)[name]["Retry"]

    assert retriers
    for retrier in retriers:
        assert retrier["JitterStrategy"] == "FULL"
        assert retrier["BackoffRate"] > 1
        assert retrier["MaxDelaySeconds"] > retrier["IntervalSeconds"] > 0
        assert retrier["MaxAttempts"] > 0


@every_task
def test_a_task_catches_everything_or_says_why_not(machine: str, name: str) -> None:
    catchers = states(machine)[name].get("Catch", [])

    if (machine, name) in NOT_CAUGHT:
        assert not catchers
    else:
        assert catchers[-1]["ErrorEquals"] == ["States.ALL"]


def test_tasks_that_catch_nothing_are_described_to_operators() -> None:
    page = (ROOT / "docs" / "how-it-works.md").read_text()

    for machine, name in NOT_CAUGHT:
        assert name in states(machine)
        assert f"`{name}`" in page


@every_machine
def test_the_first_state_reads_settings_that_exist(machine: str) -> None:
    first = states(machine)[definition(machine)["StartAt"]]
    names = first["Arguments"]["Names"]

    assert first["Resource"].endswith(":aws-sdk:ssm:getParameters")
    assert all(name.startswith("/${Stack}/") for name in names)
    assert settings_read(machine) <= set(BY_NAME)
    assert len(names) == len(set(names)) <= NAMES_PER_CALL


@every_machine
def test_a_machine_uses_only_settings_that_it_has_read(machine: str) -> None:
    used = {
        name
        for text in texts(definition(machine))
        for name in re.findall(r"\$settings\.'([^']+)'", text)
    }

    assert used
    assert used <= settings_read(machine)


@every_machine
def test_every_substitution_is_defined_and_used(machine: str) -> None:
    defined = template()["Resources"][machine]["Properties"]["DefinitionSubstitutions"]
    used = set(re.findall(r"\$\{(\w+)\}", MACHINES[machine].read_text()))

    assert used == set(defined)


@every_machine
def test_a_function_is_substituted_by_its_own_name(machine: str) -> None:
    defined = template()["Resources"][machine]["Properties"]["DefinitionSubstitutions"]
    functions = {called(state) for state in states(machine).values()} - {None}

    for name in functions:
        assert defined[name] == {"Fn::GetAtt": f"{name}.Arn"}


@every_machine
def test_a_machine_may_call_exactly_the_functions_that_it_calls(machine: str) -> None:
    allowed = {
        name
        for statement in granted(role_of(machine))
        if statement["Action"] == "lambda:InvokeFunction"
        for name in references(statement["Resource"])
    }

    assert allowed == {called(state) for state in states(machine).values()} - {None}


@every_machine
def test_every_next_state_exists(machine: str) -> None:
    for name, state in states(machine).items():
        missing = targets(state) - set(states(machine))
        assert not missing, f"{name} goes on to {missing}"


@every_machine
def test_every_state_can_be_reached(machine: str) -> None:
    reached: set[str] = set()
    waiting = {definition(machine)["StartAt"]}
    while waiting:
        reached |= waiting
        waiting = {t for name in waiting for t in targets(states(machine)[name])} - reached

    assert reached == set(states(machine))


@every_machine
def test_every_state_goes_on_or_ends(machine: str) -> None:
    for name, state in states(machine).items():
        ends = state.get("End", False) or state["Type"] in ("Fail", "Succeed")
        assert ends != bool(state.keys() & {"Next", "Default"}), name


@every_machine
def test_a_choice_always_has_a_way_on(machine: str) -> None:
    choices = {n: s for n, s in states(machine).items() if s["Type"] == "Choice"}

    assert choices
    assert all("Default" in state for state in choices.values())


def test_a_round_ends_by_giving_the_lease_back_once_it_has_begun() -> None:
    found = states("ImproveMachine")
    begun = set(found) - {"Read settings", "Check training", "What is to be done?"}
    ends = {name for name in begun if not targets(found[name])}

    assert ends == {"Nothing to do", "Done", "Failed"}
    assert targets(found["Close training"]) == {"Did it fail?"}
    assert targets(found["Did it fail?"]) == {"Done", "Failed"}
    assert {n for n in found if targets(found[n]) & {"Done", "Failed"}} == {"Did it fail?"}


def test_whatever_fails_while_a_challenger_may_run_stops_it() -> None:
    found = states("ImproveMachine")
    from_start = ["Start challenger", "Compare on holdout", "Start champion", "Smoke test"]
    from_start += ["Rest until approval", "Wait for approval", "Start approved version", "Promote"]

    for name in from_start:
        assert {catcher["Next"] for catcher in found[name]["Catch"]} == {"Stop challenger"}, name
