"""Rules of the functions: one handler module each, built once, with a sample event."""

import ast
import re

import pytest

from loupe.domain.schedules import detection_concurrency, sampling_schedule, training_schedule
from loupe.domain.settings import Settings
from tests.template.reading import ROOT, handler_modules, properties, resources, template

FUNCTIONS = resources("AWS::Serverless::Function")
HANDLERS = ROOT / "functions" / "loupe" / "handlers"
MODULES = sorted(path.stem for path in HANDLERS.glob("*.py") if path.stem != "__init__")
SCHEDULES = {
    event["Properties"]["Name"]["Fn::Sub"]: event["Properties"]
    for kind in ("AWS::Serverless::Function", "AWS::Serverless::StateMachine")
    for found in resources(kind).values()
    for event in found["Properties"].get("Events", {}).values()
    if event["Type"] == "ScheduleV2"
}

RELEASED_NAMES = {
    "RunModel": "set_model_state",
    "ProveModel": "smoke_test",
    "ManagePower": "housekeeping",
}
"""Trainings that began under 0.1.0 call these functions by ARN, which a new name would change."""

every_function = pytest.mark.parametrize("name", FUNCTIONS)


def environment(name: str) -> set[str]:
    """Names of the variables that a function gets, without `LOUPE_`."""
    own = FUNCTIONS[name]["Properties"].get("Environment", {}).get("Variables", {})
    everybody = template()["Globals"]["Function"]["Environment"]["Variables"]
    return {v.removeprefix("LOUPE_") for v in (*own, *everybody) if v.startswith("LOUPE_")}


def test_every_handler_module_is_one_function() -> None:
    assert sorted(handler_modules().values()) == MODULES


@every_function
def test_a_function_is_named_as_its_module(name: str) -> None:
    words = RELEASED_NAMES.get(name) or re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()

    assert FUNCTIONS[name]["Properties"]["Handler"] == f"loupe.handlers.{words}.handler"


@every_function
def test_a_function_says_what_it_does_in_a_sentence(name: str) -> None:
    assert re.fullmatch(r"[A-Z].{10,}\.", properties(name)["Description"])


@every_function
def test_functions_share_one_build(name: str) -> None:
    assert "CodeUri" not in FUNCTIONS[name]["Properties"]
    assert template()["Globals"]["Function"]["CodeUri"] == "functions/"


@every_function
def test_a_function_gets_every_variable_that_it_asks_for(name: str) -> None:
    module = HANDLERS / f"{handler_modules()[name]}.py"
    asked = {
        node.args[0].value
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "value"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }

    assert asked <= environment(name)


def test_every_variable_of_a_function_is_read_somewhere() -> None:
    code = "\n".join(p.read_text() for p in (ROOT / "functions").rglob("*.py"))
    variables = {variable for name in FUNCTIONS for variable in environment(name)}

    unread = {v for v in variables if f'"{v}"' not in code and f'"LOUPE_{v}"' not in code}
    assert unread == {"FLOW"}, "an update runs the code of 0.1.0 with it for a moment"


def test_every_function_has_a_sample_event_and_every_sample_a_function() -> None:
    samples = {path.stem for path in (ROOT / "events").glob("*.json")}

    assert samples == set(handler_modules().values())


def test_schedules_that_follow_settings_start_at_their_defaults() -> None:
    defaults = Settings.from_parameters({})
    wanted = {"training": training_schedule(defaults), "sampling": sampling_schedule(defaults)}

    for name, schedule in wanted.items():
        found = SCHEDULES[f"${{AWS::StackName}}-{name}"]
        assert found["ScheduleExpression"] == schedule.rate
        assert found["State"] == ("ENABLED" if schedule.enabled else "DISABLED")


def test_the_detection_queue_starts_with_the_concurrency_of_the_defaults() -> None:
    wanted = detection_concurrency(Settings.from_parameters({}))
    source = FUNCTIONS["DispatchImages"]["Properties"]["Events"]["Images"]["Properties"]

    assert source["ScalingConfig"]["MaximumConcurrency"] == wanted
