"""Business rule: a stack is made only where the service is."""

import json
from importlib.resources import files
from typing import Any

import boto3

from tests.template.reading import template


def rule() -> dict[str, Any]:
    """The assertion about the Region."""
    (assertion,) = template()["Rules"]["RegionHasCustomLabels"]["Assertions"]
    return dict(assertion)


def test_a_stack_is_made_only_in_regions_that_have_custom_labels() -> None:
    """CloudFormation has the resource of a Custom Labels project where the service is."""
    schemas = files("cfnlint") / "data" / "schemas" / "providers"
    offered = {
        region
        for region in boto3.session.Session().get_available_regions("rekognition")
        if "AWS::Rekognition::Project" in json.loads((schemas / f"{region}.json").read_text())
    }
    allowed, region = rule()["Assert"]["Fn::Contains"]

    assert region == {"Ref": "AWS::Region"}
    assert set(allowed) == offered


def test_the_refusal_of_a_region_names_those_that_there_are() -> None:
    allowed, _ = rule()["Assert"]["Fn::Contains"]

    assert "not available in this Region" in rule()["AssertDescription"]
    assert all(region in rule()["AssertDescription"] for region in allowed)
