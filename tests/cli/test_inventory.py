"""Business rule: what belongs to a stack is never decided by how a name begins."""

from collections.abc import Iterator
from typing import Any, ClassVar, cast

import pytest
from moto import mock_aws
from moto.moto_api._internal.models import moto_api_backend

from loupe_cli import inventory
from loupe_cli.target import Target
from tests.adapters.world import client

STACKS = ("x", "x-prod", "X", "x-training", "x-deadbeef")
ROLE = "arn:aws:iam::123456789012:role/schedule"


class Account(Target):
    """Whatever stack, in an account in memory."""

    def client(self, service: str) -> Any:
        return client(service)


@pytest.fixture(scope="module", autouse=True)
def _account() -> Iterator[None]:
    with mock_aws():
        moto_api_backend.reset()
        for number, stack in enumerate(STACKS):
            fill(stack, f"{stack.lower()}-bucket-{number}")
        yield


def fill(stack: str, bucket: str) -> None:
    """What a stack of this name has that CloudFormation would not list any more."""
    client("s3").create_bucket(Bucket=bucket)
    tags = [{"Key": "loupe:stack", "Value": stack}]
    client("s3").put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
    for schedule in inventory.SCHEDULES:
        client("scheduler").create_schedule(
            Name=f"{stack}-{schedule}",
            ScheduleExpression="rate(1 minute)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": ROLE, "RoleArn": ROLE},
        )
    for pattern in inventory.LOG_GROUPS:
        client("logs").create_log_group(logGroupName=pattern.format(stack))
    client("logs").create_log_group(logGroupName=f"/loupe/{stack}/functions-of-others")
    client("ssm").put_parameter(Name=f"/{stack}/Labels", Value="cat", Type="String")


def names(stack: str) -> set[str]:
    looks = (
        inventory.left_behind,
        inventory.parameters,
        inventory.schedules,
        inventory.log_groups,
    )
    account = cast(Target, Account(stack))
    return {thing.name for look in looks for thing in look(account)}


@pytest.mark.parametrize(("number", "stack"), list(enumerate(STACKS)))
def test_a_stack_has_what_bears_its_tag_or_exactly_its_name(number: int, stack: str) -> None:
    assert names(stack) == {
        f"{stack.lower()}-bucket-{number}",
        *(f"{stack}-{schedule}" for schedule in inventory.SCHEDULES),
        *(pattern.format(stack) for pattern in inventory.LOG_GROUPS),
        f"/{stack}/Labels",
    }


def test_no_stack_has_what_belongs_to_another() -> None:
    found = [names(stack) for stack in STACKS]

    assert len(set().union(*found)) == sum(map(len, found))


def test_a_stack_that_never_was_has_nothing() -> None:
    assert names("x-b") == set()


class Listed(Target):
    """A stack that CloudFormation lists, with another one in it."""

    resources: ClassVar = {
        "x": [
            ("AWS::SQS::Queue", "queue", "CREATE_COMPLETE"),
            ("AWS::CloudFormation::Stack", "arn:x-Operations", "CREATE_COMPLETE"),
            ("AWS::CloudFormation::Stack", "arn:gone", "DELETE_COMPLETE"),
        ],
        "arn:x-Operations": [
            ("AWS::CloudWatch::Alarm", "alarm", "CREATE_COMPLETE"),
            ("AWS::CloudWatch::Alarm", "alarm that is gone", "DELETE_COMPLETE"),
        ],
    }

    def client(self, service: str) -> Any:
        return self

    def get_paginator(self, action: str) -> Any:
        return self

    def paginate(self, StackName: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        keys = ("ResourceType", "PhysicalResourceId", "ResourceStatus")
        for values in self.resources[StackName]:
            resource = dict(zip(keys, values, strict=True)) | {"LogicalResourceId": "L"}
            yield {"StackResourceSummaries": [resource]}


def test_a_stack_has_what_is_in_the_stacks_nested_in_it() -> None:
    owned = list(inventory.owned(Listed("x")))

    assert [(thing.kind, thing.name) for thing in owned] == [("queue", "queue"), ("alarm", "alarm")]
