"""Business rule: a changed setting takes effect without a deployment, and changes nothing else."""

import json
from typing import Any

import pytest

from loupe.adapters.parameters import Parameters
from loupe.domain.settings import CATALOGUE, END, Settings, setting
from loupe.services.settings import TIGHTENING, apply_settings
from tests.adapters.world import World
from tests.template.reading import ROOT, STACK, template


@pytest.fixture
def schedules(world: World) -> Any:
    """The training and sampling schedules as the template makes them."""
    scheduler = world.client("scheduler")
    functions = template()["Resources"]
    for function, event, name in (
        ("ImproveMachine", "TrainingChecks", "training"),
        ("SampleReviews", "Sampling", "sampling"),
    ):
        made = functions[function]["Properties"]["Events"][event]["Properties"]
        scheduler.create_schedule(
            Name=f"{STACK}-{name}",
            Description=made["Description"],
            ScheduleExpression=made["ScheduleExpression"],
            State=made["State"],
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={
                "Arn": f"arn:aws:lambda:us-east-1:123456789012:function:{function}",
                "RoleArn": "arn:aws:iam::123456789012:role/schedule",
                "RetryPolicy": {"MaximumRetryAttempts": 3},
                "Input": '{"a": 1}',
            },
        )
    return scheduler


def found(schedules: Any, name: str) -> dict[str, Any]:
    made = schedules.get_schedule(Name=f"{STACK}-{name}")
    kept = ("State", "ScheduleExpression", "Target", "Description", "FlexibleTimeWindow")
    return {field: made[field] for field in kept}


def test_what_the_template_makes_is_what_the_defaults_say(world: World, schedules: Any) -> None:
    assert apply_settings(world.deps) == []
    assert world.events() == []


def test_a_changed_rate_keeps_the_target_and_the_state(world: World, schedules: Any) -> None:
    before = found(schedules, "training")
    world.set(Automatic_Training_Poll_Frequency="1")

    apply_settings(world.deps)

    assert found(schedules, "training") == before | {"ScheduleExpression": "rate(1 minute)"}


def test_changing_a_rate_does_not_switch_a_disabled_schedule_on(
    world: World, schedules: Any
) -> None:
    world.set(Enable_Automatic_Human_Sampling="false")
    apply_settings(world.deps)

    world.set(Automatic_Human_Sampling_Frequency="60")
    apply_settings(world.deps)

    after = found(schedules, "sampling")
    assert (after["State"], after["ScheduleExpression"]) == ("DISABLED", "rate(60 minutes)")


def test_a_deployment_that_put_the_templates_values_back_is_made_up_for(
    world: World, schedules: Any
) -> None:
    world.set(Enable_Automatic_Training="false")
    apply_settings(world.deps)
    made = found(schedules, "training")
    schedules.update_schedule(Name=f"{STACK}-training", **made | {"State": "ENABLED"})

    apply_settings(world.deps)

    assert found(schedules, "training")["State"] == "DISABLED"


def test_images_read_at_a_time_follow_the_inference_units(world: World, schedules: Any) -> None:
    world.set(Maximum_Inference_Units="3")

    changed = apply_settings(world.deps)

    assert world.event_source.concurrency == 15
    assert changed == ["up to 15 images are read at a time"]


def test_what_changed_is_told_once(world: World, schedules: Any) -> None:
    world.set(Enable_Automatic_Training="false", Automatic_Training_Poll_Frequency="30")

    apply_settings(world.deps)
    apply_settings(world.deps)

    (told,) = world.events("SettingsApplied")
    assert "training checks off, rate(30 minutes)" in told["text"]


def test_a_changed_setting_keeps_its_pattern(world: World) -> None:
    world.set(Minimum_F1_Score="0.9")

    (found,) = world.client("ssm").describe_parameters(
        ParameterFilters=[{"Key": "Name", "Values": [f"/{STACK}/Minimum-F1-Score"]}]
    )["Parameters"]
    assert found["AllowedPattern"] == setting("Minimum-F1-Score").pattern


def test_every_setting_is_read_though_a_call_takes_ten_names(world: World) -> None:
    world.make_parameters()

    assert len(CATALOGUE) > 10
    assert world.deps.parameters.values() == {known.name: known.default for known in CATALOGUE}
    assert world.deps.parameters.settings() == Settings.from_parameters({})


def as_released(world: World) -> None:
    """Given the parameters of a stack of release 0.1.0, some of them changed by an operator."""
    world.make_parameters()
    ssm = world.client("ssm")
    released = json.loads((ROOT / "tests/template/released/parameters-0.1.0.json").read_text())
    for found in released.values():
        name = found["Name"].replace("${AWS::StackName}", STACK)
        ssm.delete_parameter(Name=name)
        ssm.put_parameter(**{**found, "Name": name})
    pattern = released["MinimumF1ScoreSetting"]["AllowedPattern"]
    for value in ("0.5", "0.6"):
        ssm.put_parameter(
            Name=f"/{STACK}/Minimum-F1-Score",
            Value=value,
            Type="String",
            AllowedPattern=pattern,
            Overwrite=True,
        )


def test_parameters_of_an_earlier_release_get_the_patterns_that_hold_now(
    world: World, schedules: Any
) -> None:
    as_released(world)
    before = world.deps.parameters.stored()

    apply_settings(world.deps)

    described = world.client("ssm").get_paginator("describe_parameters").paginate()
    patterns = {p["Name"]: p["AllowedPattern"] for page in described for p in page["Parameters"]}
    tightened = {
        known.name for known in CATALOGUE if patterns[f"/{STACK}/{known.name}"] == known.pattern
    }
    assert {"Labels", "Minimum-Inference-Units", "Maximum-Inference-Units"} <= tightened
    loose = [known for known in CATALOGUE if known.name not in tightened]
    assert all(
        patterns[f"/{STACK}/{known.name}"].replace("$", END) == known.pattern for known in loose
    )
    after = world.deps.parameters.stored()
    assert all(s.version == before[n].version for n, s in after.items() if n not in tightened)
    assert {n: s.value for n, s in after.items()} == {n: s.value for n, s in before.items()}
    changed_by = {n: world.deps.setting_changes.last(n, s).by for n, s in after.items()}
    assert changed_by.pop("Minimum-F1-Score") == "somebody outside Loupe"
    assert set(changed_by.values()) == {""}


def test_patterns_are_tightened_once(world: World, schedules: Any) -> None:
    as_released(world)
    apply_settings(world.deps)
    once = world.deps.parameters.stored()

    apply_settings(world.deps)

    assert world.deps.parameters.stored() == once


class Raced:
    """Parameter Store, where an operator is a moment faster with one change."""

    def __init__(self, own: Any, at: str, name: str, value: str) -> None:
        """Given `own`, the client; the change comes just before the first write to `at`."""
        self._own = own
        self._at = at
        self._changes = [(name, value)]

    def __getattr__(self, action: str) -> Any:
        return getattr(self._own, action)

    def put_parameter(self, **request: Any) -> Any:
        if request["Name"] == f"/{STACK}/{self._at}" and self._changes:
            name, value = self._changes.pop()
            self._own.put_parameter(
                Name=f"/{STACK}/{name}", Value=value, Type="String", Overwrite=True
            )
        return self._own.put_parameter(**request)


@pytest.mark.parametrize("value", ["3", "500"])
@pytest.mark.parametrize("at", ["Maximum-Inference-Units", "Labels"])
def test_a_change_that_an_operator_makes_while_patterns_are_tightened_stands(
    world: World, schedules: Any, at: str, value: str
) -> None:
    """Also one to a value that is not allowed any more, and to a parameter whose turn is next."""
    as_released(world)
    changed = "Maximum-Inference-Units"
    client: Any = Raced(world.client("ssm"), at, changed, value)
    world.use(parameters=Parameters(client, STACK))

    apply_settings(world.deps)

    stored = world.deps.parameters.stored()[changed]
    assert stored.value == value
    assert world.deps.setting_changes.last(changed, stored).by == "somebody outside Loupe"


def test_patterns_are_tightened_by_one_run_at_a_time(world: World, schedules: Any) -> None:
    as_released(world)
    before = world.deps.parameters.stored()
    assert world.deps.turns.take("patterns", world.deps.now, TIGHTENING)

    apply_settings(world.deps)
    assert world.deps.parameters.stored() == before

    world.deps.now += TIGHTENING
    apply_settings(world.deps)
    assert world.deps.parameters.loose() == []


def test_a_value_that_is_not_allowed_any_more_is_left_and_the_operator_told(
    world: World, schedules: Any
) -> None:
    world.make_parameters()
    name = f"/{STACK}/Minimum-Inference-Units"
    ssm = world.client("ssm")
    ssm.delete_parameter(Name=name)
    ssm.put_parameter(Name=name, Value="500", Type="String")

    for _ in range(2):
        apply_settings(world.deps)

    assert world.deps.parameters.values()["Minimum-Inference-Units"] == "500"
    (told,) = world.events("SettingsApplied")
    assert "Minimum-Inference-Units is '500' and counts as '1'" in told["text"]
