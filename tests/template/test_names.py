"""Business rule: the longest name that a stack can have fits whatever is named after it."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]

from loupe.domain.stack_name import LONGEST, LONGEST_WITH_TEAM
from loupe_cli import inventory
from tests.template.reading import STACK, everything, properties

ACCOUNT = "123456789012"
DOMAIN_LENGTH = 63
"""Amazon Cognito's, which its schema for CloudFormation leaves out."""
TYPES = {
    "ScheduleV2": ("AWS::Scheduler::Schedule", "Name"),
    "AWS::Serverless::StateMachine": ("AWS::StepFunctions::StateMachine", "StateMachineName"),
    "AWS::Serverless::LayerVersion": ("AWS::Lambda::LayerVersion", "LayerName"),
}
"""What SAM makes of its own types."""


def named() -> Iterator[tuple[str, str, str]]:
    """(type, property, text) of every name that is made of the stack's."""
    for resource in everything().values():
        yield from _named(resource["Type"], resource.get("Properties", {}))
        for event in resource.get("Properties", {}).get("Events", {}).values():
            yield from _named(event["Type"], event["Properties"])


def _named(kind: str, properties: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for name, value in properties.items():
        match value:
            case {"Ref": "AWS::StackName"}:
                text = "${AWS::StackName}"
            case {"Fn::Sub": str(text)} if "${AWS::StackName}" in text:
                pass
            case _:
                continue
        kind, name = TYPES.get(kind, (kind, name))
        if name.endswith("Name") or name == "Domain":
            yield kind, name, text


NAMED = sorted(set(named()))


def longest(kind: str, name: str) -> int | None:
    """How long the service lets the property be, as far as CloudFormation's schema says."""
    if kind.startswith("Custom::"):
        return None
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    own = {"Domain": DOMAIN_LENGTH}.get(name)
    limit: int | None = schema["properties"][name].get("maxLength", own)
    return limit


def length(text: str, stack: int) -> int:
    """Of a name in a stack whose own has so many characters."""
    known = {"${AWS::StackName}": "x" * stack, "${AWS::AccountId}": ACCOUNT}
    return len(re.sub(r"\$\{[^}]+\}", lambda found: known[found[0]], text))


def fits(stack: int, with_team: bool) -> bool:
    return all(
        length(text, stack) <= limit
        for kind, name, text in NAMED
        if (limit := longest(kind, name)) and (with_team or name != "Domain")
    )


def test_names_are_found_in_the_template() -> None:
    assert ("AWS::Scheduler::Schedule", "Name", "${AWS::StackName}-housekeeping") in NAMED
    assert len(NAMED) > 20


@pytest.mark.parametrize(("stack", "with_team"), [(LONGEST, False), (LONGEST_WITH_TEAM, True)])
def test_the_longest_name_fits_everywhere_and_one_more_character_does_not(
    stack: int, with_team: bool
) -> None:
    assert fits(stack, with_team)
    assert not fits(stack + 1, with_team)


# What teardown looks for by name and by tag


def test_teardown_knows_the_schedules_and_logs_by_name() -> None:
    stack = "${AWS::StackName}"

    assert {text for kind, _, text in NAMED if kind == "AWS::Scheduler::Schedule"} == {
        f"{stack}-{schedule}" for schedule in inventory.SCHEDULES
    }
    assert {text for kind, _, text in NAMED if kind == "AWS::Logs::LogGroup"} == {
        pattern.format(stack) for pattern in inventory.LOG_GROUPS
    }


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, found in everything().items()
        if found.get("UpdateReplacePolicy") == "Retain" and found["DeletionPolicy"] == "Delete"
    ],
)
def test_what_the_template_keeps_when_it_is_replaced_says_whose_it_is(name: str) -> None:
    found = properties(name)
    tags = found.get("UserPoolTags") or {tag["Key"]: tag["Value"] for tag in found["Tags"]}

    assert tags[inventory.TAG] == STACK
    assert inventory.KINDS[everything()[name]["Type"]] in inventory.TAGGED.values()
