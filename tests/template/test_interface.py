"""CloudFormation's console shows the template's parameters in groups, each with a label."""

from typing import Any

from tests.template.reading import template

INTERFACE: dict[str, Any] = template()["Metadata"]["AWS::CloudFormation::Interface"]
PARAMETERS = template()["Parameters"]


def test_every_parameter_stands_in_exactly_one_group() -> None:
    grouped = [name for group in INTERFACE["ParameterGroups"] for name in group["Parameters"]]

    assert sorted(grouped) == sorted(PARAMETERS)


def test_every_parameter_and_every_group_has_a_label() -> None:
    groups = [group["Label"]["default"] for group in INTERFACE["ParameterGroups"]]
    labels = {name: label["default"] for name, label in INTERFACE["ParameterLabels"].items()}

    assert labels.keys() == PARAMETERS.keys()
    assert all([*groups, *labels.values()])
    assert len(set(groups)) == len(groups)
