"""Rules that both state machines keep: time limits, retries, catches, and names that exist."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from jsonata import Jsonata

from loupe.domain.failures import final_errors
from loupe.domain.settings import BLANKS, BY_NAME, END, Setting, setting
from loupe.wiring import SYNC_EXECUTION_SECONDS
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
MOST_EVENTS = 25_000
"""The most that the history of an execution takes."""
EVENTS_PER_POLL = 9

TO_THE_QUEUE = "the message goes back to the queue, and in the end to the dead letters"
TO_THE_NEXT_CHECK = "the next check takes the lease and the attempt over"
NOT_CAUGHT = {
    ("DetectMachine", "Read settings"): TO_THE_QUEUE,
    ("DetectMachine", "Detect labels"): TO_THE_QUEUE,
    ("DetectMachine", "Request review"): TO_THE_QUEUE,
    ("DetectMachine", "Record with its answer"): TO_THE_QUEUE,
    ("DetectMachine", "Record without an answer"): TO_THE_QUEUE,
    ("ImproveMachine", "Read settings"): "nothing has begun",
    ("ImproveMachine", "Check training"): TO_THE_NEXT_CHECK,
    ("ImproveMachine", "Close training"): TO_THE_NEXT_CHECK,
    ("SetModelStateMachine", "Set model state"): "its parent catches it",
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
machines_with_settings = pytest.mark.parametrize("machine", ["DetectMachine", "ImproveMachine"])
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


def is_never(retrier: dict[str, Any]) -> bool:
    """Whether a retrier names errors that are not to be tried again."""
    return bool(retrier["MaxAttempts"] == 0)


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
    retriers = [each for each in states(machine)[name]["Retry"] if not is_never(each)]

    assert retriers
    for retrier in retriers:
        assert retrier["JitterStrategy"] == "FULL"
        assert retrier["BackoffRate"] > 1
        assert retrier["MaxDelaySeconds"] > retrier["IntervalSeconds"] > 0


@every_task
def test_a_task_tries_everything_again_but_the_errors_that_are_named(
    machine: str, name: str
) -> None:
    """Botocore, Lambda and the network raise more than anybody can list."""
    retriers = states(machine)[name]["Retry"]
    final = {error for each in retriers if is_never(each) for error in each["ErrorEquals"]}

    assert retriers[-1]["ErrorEquals"] == ["States.ALL"]
    assert not is_never(retriers[-1])
    assert final <= final_errors() | {"States.Timeout"}
    if called(states(machine)[name]):
        assert final >= final_errors(), "what Loupe knows to be final is not tried again"


@every_task
def test_a_task_catches_everything_or_says_why_not(machine: str, name: str) -> None:
    catchers = states(machine)[name].get("Catch", [])
    everything = bool(catchers) and catchers[-1]["ErrorEquals"] == ["States.ALL"]

    assert everything != ((machine, name) in NOT_CAUGHT)


def test_an_image_fails_only_for_what_rekognition_refuses_for_good() -> None:
    catchers = states("DetectMachine")["Detect labels"]["Catch"]

    assert [(each["ErrorEquals"], each["Assign"]["state"]) for each in catchers] == [
        (["TryAgain"], "waiting"),
        (["ServiceRefused"], "failed"),
    ]


def test_time_limits_enclose_one_another() -> None:
    """The machine ends before its dispatcher, and that before the message comes back."""
    machine = definition("DetectMachine")["TimeoutSeconds"]
    dispatcher = properties("DispatchImages")["Timeout"]

    assert machine < dispatcher < SYNC_EXECUTION_SECONDS
    assert dispatcher < properties("DetectionQueue")["VisibilityTimeout"]


@every_machine
def test_a_machine_has_a_time_limit(machine: str) -> None:
    assert definition(machine)["TimeoutSeconds"] > 0


def test_a_training_of_a_day_stays_far_below_the_history_that_an_execution_may_have() -> None:
    """The pause grows with the time that has passed; a poll makes nine events."""
    text = states("ImproveMachine")["Wait for training"]["Seconds"]
    expression = text.removeprefix("{%").removesuffix("%}").replace("${PollSeconds}", "1")
    assert "$millis()" in expression
    passed, polls = 0.0, 0
    while passed < 24 * 3600:
        told = Jsonata(
            expression.replace("$millis()", str(int(passed * 1000))).replace(
                "$toMillis($states.context.Execution.StartTime)", "0"
            )
        ).evaluate({})
        assert told == int(told) >= 1
        passed, polls = passed + told, polls + 1

    assert polls * EVENTS_PER_POLL < MOST_EVENTS / 2


def test_tasks_that_catch_nothing_are_described_to_operators() -> None:
    page = (ROOT / "docs" / "how-it-works.md").read_text()

    for machine, name in NOT_CAUGHT:
        assert name in states(machine)
        assert f"`{name}`" in page


@machines_with_settings
def test_the_first_state_reads_settings_that_exist(machine: str) -> None:
    first = states(machine)[definition(machine)["StartAt"]]
    names = first["Arguments"]["Names"]

    assert first["Resource"].endswith(":aws-sdk:ssm:getParameters")
    assert all(name.startswith("/${Stack}/") for name in names)
    assert settings_read(machine) <= set(BY_NAME)
    assert len(names) == len(set(names)) <= NAMES_PER_CALL


@machines_with_settings
def test_a_machine_uses_only_settings_that_it_has_read(machine: str) -> None:
    used = {
        name
        for text in texts(definition(machine))
        for name in re.findall(r"\$settings\.'([^']+)'", text)
    }

    assert used
    assert used <= settings_read(machine)


DECIDED = [
    (machine, setting(name))
    for machine in ("DetectMachine", "ImproveMachine")
    for text in [json.dumps(definition(machine))]
    for name in sorted(set(re.findall(r"\$settings\.'([^']+)'", text)))
]
"""Settings that a machine decides by itself; all others go to functions as they are stored."""


every_decision = pytest.mark.parametrize(
    ("machine", "known"), DECIDED, ids=[f"{machine}: {known.name}" for machine, known in DECIDED]
)


def settings_of(machine: str, stored: dict[str, str]) -> dict[str, str]:
    """What the machine goes on with when Parameter Store holds `{name: value}`."""
    expression = states(machine)["Read settings"]["Assign"]["settings"]
    parameters = [{"Name": f"/loupe/{name}", "Value": value} for name, value in stored.items()]
    bindings = {"states": {"result": {"Parameters": parameters}}}
    text = expression.removeprefix("{%").removesuffix("%}")
    return dict(Jsonata(text).evaluate(None, bindings))


@every_decision
def test_a_machine_takes_the_pattern_and_the_default_of_the_catalogue(
    machine: str, known: Setting
) -> None:
    expression = states(machine)["Read settings"]["Assign"]["settings"]

    assert f"$trim($read.'{known.name}')" in expression
    assert f", /{known.pattern.removesuffix(END)}$/)[0].match = $" in expression
    assert f" : '{known.default}'" in expression


blanks = st.text(f"{BLANKS}\u00a0\u2028\u0085", max_size=3)
numbers = st.from_regex(r"-?[0-9]{0,4}(\.[0-9]{0,3})?", fullmatch=True)
words = st.sampled_from(["true", "false", "True", "NaN", "1e3", "\uff11", "0x1", "100.00", "{{a}}"])
values = st.one_of(
    st.text(max_size=6), st.tuples(blanks, st.one_of(numbers, words), blanks).map("".join)
)


@every_decision
@hypothesis_settings(deadline=None, max_examples=300, database=None, derandomize=True)
@given(value=values)
@example(value="70\n")
@example(value="true\r\n")
@example(value="0.5\u2028")
@example(value="1\n1")
@example(value="")
def test_a_machine_reads_a_setting_as_python_does(machine: str, known: Setting, value: str) -> None:
    """Whatever a parameter holds that was made without its pattern, no image fails for it.

    What matched is compared with the whole: to some engines `$` passes over the end of a line.
    """
    found = settings_of(machine, {known.name: value, "Labels": " a  b "})

    assert found[known.name] == known.effective(value)
    assert found["Labels"] == " a  b "


@machines_with_settings
def test_parameters_that_were_deleted_count_with_their_defaults(machine: str) -> None:
    names = {known.name for each, known in DECIDED if each == machine}

    assert settings_of(machine, {}) == {name: setting(name).default for name in names}


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


def test_a_nested_machine_is_substituted_and_permitted() -> None:
    improve = template()["Resources"]["ImproveMachine"]["Properties"]
    started = [
        s for s in granted(role_of("ImproveMachine")) if s["Action"] == "states:StartExecution"
    ]

    assert improve["DefinitionSubstitutions"]["SetModelState"] == {"Ref": "SetModelStateMachine"}
    assert [references(s["Resource"]) for s in started] == [{"SetModelStateMachine"}]


@every_machine
def test_a_machine_may_call_exactly_the_functions_that_it_calls(machine: str) -> None:
    allowed = {
        name
        for statement in granted(role_of(machine))
        if statement["Action"] == "lambda:InvokeFunction"
        for name in references(statement["Resource"])
    }

    called_now = {called(state) for state in states(machine).values()} - {None}
    assert allowed == called_now | called_by_the_last_release(machine)


def called_by_the_last_release(machine: str) -> set[str | None]:
    """A run that began before an update ends by the old definition, with the machine's new role."""
    file = ROOT / "tests/upgrade/released/0.1.0/statemachine" / MACHINES[machine].name
    if not file.exists():
        return set()
    return {called(state) for state in json.loads(file.read_text())["States"].values()} - {None}


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
    begun = set(found) - {
        "Read settings",
        "Check training",
        "What is to be done?",
        "Nothing to do",
    }
    ends = {name for name in begun if not targets(found[name])}

    assert ends == {"Done", "Failed"}
    assert targets(found["Close training"]) == {"Did it fail?"}
    assert targets(found["Did it fail?"]) == {"Done", "Failed"}
    assert {n for n in found if targets(found[n]) & {"Done", "Failed"}} == {"Did it fail?"}


def test_whatever_fails_while_a_challenger_may_run_stops_it() -> None:
    found = states("ImproveMachine")

    for name in (
        "Start challenger",
        "Compare on holdout",
        "Start champion",
        "Smoke test",
        "Promote",
    ):
        assert {catcher["Next"] for catcher in found[name]["Catch"]} == {"Stop challenger"}, name


def test_a_champion_that_was_started_for_the_comparison_is_stopped_on_every_way_but_promotion() -> (
    None
):
    """Whoever leaves the comparison passes the choice that stops it, or the promotion over it."""
    found = states("ImproveMachine")
    first = found["What follows the stop?"]["Choices"][0]

    assert targets(found["Stop challenger"]) == {"What follows the stop?"}
    assert (first["Condition"], first["Next"]) == ("{% $champion != '' %}", "Stop champion")
    assert targets(found["Stop champion"]) == {"What follows the stop?"}
    for name in ("Compare on holdout", "Start champion", "Smoke test", "Promote"):
        after = targets(found[name]) - {"Promote", "Is a previous version left?"}
        assert after <= {"Stop challenger", "How did it compare?", "Compare on holdout"}, name
    compared = targets(found["How did it compare?"])
    assert compared == {"Compare on holdout", "Start champion", "Smoke test", "Stop challenger"}


@every_machine
def test_a_choice_assigns_in_its_rules_only(machine: str) -> None:
    """Whether an Assign beside the rules counts for the default alone, AWS's pages do not agree."""
    choices = [state for state in states(machine).values() if state["Type"] == "Choice"]

    assert not [state for state in choices if "Assign" in state]
