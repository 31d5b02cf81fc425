"""Business rule: what may be made anew stands in a nested stack; what holds data does not."""

import json
from typing import Any

import pytest

from tests.template.reading import ROOT, nested_stacks, nested_template, references, template

OWN_NAMES = {"AWS::StackName", "AWS::StackId"}
"""What a nested stack has a value of its own for."""

every_nested_stack = pytest.mark.parametrize("name", nested_stacks())


def handed_in(name: str) -> dict[str, Any]:
    """The parameters that the template gives a nested stack."""
    return dict(template()["Resources"][name]["Properties"]["Parameters"])


def test_every_template_in_stacks_is_a_nested_stack() -> None:
    urls = {template()["Resources"][n]["Properties"]["TemplateURL"] for n in nested_stacks()}

    assert urls == {f"stacks/{path.name}" for path in (ROOT / "stacks").iterdir()}
    assert urls


@every_nested_stack
def test_every_parameter_is_handed_in_and_used(name: str) -> None:
    """Else a value would be written down twice, here as a default."""
    parameters = nested_template(name)["Parameters"]

    assert parameters.keys() == handed_in(name).keys()
    assert parameters.keys() <= references(nested_template(name)["Resources"])
    assert not [p for p, declared in parameters.items() if "Default" in declared]


@every_nested_stack
def test_a_nested_stack_does_not_take_its_own_name_for_the_stacks(name: str) -> None:
    assert not references(nested_template(name)) & OWN_NAMES


@every_nested_stack
def test_a_nested_stack_holds_nothing_that_an_update_would_lose(name: str) -> None:
    """A resource that moves between stacks is made anew and then deleted."""
    kinds = {resource["Type"] for resource in nested_template(name)["Resources"].values()}

    assert kinds <= {"AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard"}


@every_nested_stack
def test_no_resource_refers_to_a_nested_stack(name: str) -> None:
    assert name not in references(template()["Resources"])
    assert name not in references(template()["Outputs"])


def test_the_dashboard_has_another_name_than_that_of_0_1_0() -> None:
    """It is made before the old one is deleted, which had the stack's name."""
    (name,) = nested_stacks()
    dashboard = nested_template(name)["Resources"]["Dashboard"]["Properties"]

    assert dashboard["DashboardName"] == {"Fn::Sub": "${LoupeStack}-operations"}
    assert json.loads(dashboard["DashboardBody"]["Fn::Sub"])["widgets"]
