"""Deleting the stack in CloudFormation alone ends what bills, whatever it is doing."""

import os
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.stack.conftest import NAME, Stack, deploy, fresh, until
from tests.stack.pictures import digits

pytestmark = pytest.mark.stack

DELAY_SECONDS = 8
SPARE_SECONDS = 120
"""What an invocation of ProvisionProject keeps of its time."""


@pytest.fixture(scope="module")
def stack(built: None) -> Iterator[Stack]:
    """A stack whose models take some seconds to start and to stop."""
    os.environ["LOUPE_LOCAL_DELAY"] = str(DELAY_SECONDS)
    try:
        yield from fresh("deletion")
    finally:
        del os.environ["LOUPE_LOCAL_DELAY"]


def label(stack: Stack, first: int, last: int) -> None:
    """Upload labelled images of two digits and wait until they are registered."""
    before = len(list(stack.deps.dataset.labelled_images()))
    for digit in (0, 1):
        for number in range(first, last):
            stack.put(f"images_labeled_by_folder/{digit}/{number}.png", digits()[digit][number])
    stack.registered(before + 2 * (last - first))


def asks_for_approval(stack: Stack) -> bool | None:
    return any(v.status == "waiting_for_approval" for v in stack.deps.versions.newest()) or None


def empty_bucket(stack: Stack) -> None:
    """As the console of Amazon S3 does: every version of every object."""
    bucket = stack.session.resource("s3", endpoint_url=stack.endpoint.url).Bucket(
        stack.outputs["BucketName"]
    )
    bucket.object_versions.delete()


def give_seconds(stack: Stack, seconds: int) -> None:
    """Let the function that deletes the project run for so long at a time."""
    function = stack.client("cloudformation").describe_stack_resource(
        StackName=NAME, LogicalResourceId="ProvisionProject"
    )["StackResourceDetail"]["PhysicalResourceId"]
    stack.client("lambda").update_function_configuration(FunctionName=function, Timeout=seconds)


def delete_stack(stack: Stack) -> str:
    """Delete it as the console of CloudFormation does; returns the status that this ends with."""
    client = stack.client("cloudformation")
    (found,) = client.describe_stacks(StackName=NAME)["Stacks"]

    def ends() -> list[str]:
        return [
            event["ResourceStatus"]
            for event in events(stack, found["StackId"])
            if event["LogicalResourceId"] == NAME
            and event["ResourceStatus"] in ("DELETE_FAILED", "DELETE_COMPLETE")
        ]

    before = len(ends())
    client.delete_stack(StackName=NAME)
    return until(lambda: ends()[before:] or None, seconds=180)[0]


def events(stack: Stack, name: str = NAME) -> list[dict[str, Any]]:
    """What happened to the stack's resources, the oldest first."""
    pages = stack.client("cloudformation").get_paginator("describe_stack_events")
    found = [event for page in pages.paginate(StackName=name) for event in page["StackEvents"]]
    return found[::-1]


def is_deleted_before(stack: Stack, first: str, second: str) -> bool:
    """Whether the deletion of `second` began when `first` was gone."""
    order = [(event["LogicalResourceId"], event["ResourceStatus"]) for event in events(stack)]
    return order.index((first, "DELETE_COMPLETE")) < order.index((second, "DELETE_IN_PROGRESS"))


def still_there(stack: Stack) -> set[str]:
    """What of the stack CloudFormation has not deleted."""
    pages = stack.client("cloudformation").get_paginator("list_stack_resources")
    return {
        resource["LogicalResourceId"]
        for page in pages.paginate(StackName=stack.name)
        for resource in page["StackResourceSummaries"]
        if resource["ResourceStatus"] != "DELETE_COMPLETE"
    }


def test_a_round_that_waits_for_approval_and_a_model_that_starts_are_ended(stack: Stack) -> None:
    stack.set(Minimum_F1_Score="0", Labels="zero,one", Enable_Automatic_Deployment="false")
    label(stack, 0, 6)
    stack.start_training()
    until(lambda: asks_for_approval(stack), seconds=120)
    (name,) = stack.models()
    until(lambda: stack.models()[name] == "STOPPED" or None, seconds=60)
    stack.deps.rekognition.start(stack.deps.rekognition.version(name).arn, 1, 1)

    give_seconds(stack, SPARE_SECONDS)
    assert delete_stack(stack) == "DELETE_FAILED"

    (reason,) = [
        event["ResourceStatusReason"]
        for event in events(stack)
        if (event["LogicalResourceId"], event["ResourceStatus"]) == ("Project", "DELETE_FAILED")
    ]
    assert re.search(rf"version {name} is (STARTING|RUNNING|STOPPING)", reason)
    assert "Delete the stack again" in reason
    assert is_deleted_before(stack, "Rounds", "ImproveMachine")
    assert is_deleted_before(stack, "ManagePower", "Project")

    give_seconds(stack, SPARE_SECONDS + DELAY_SECONDS)
    assert delete_stack(stack) == "DELETE_FAILED"

    assert stack.client("rekognition").describe_projects()["ProjectDescriptions"] == []
    assert still_there(stack) == {"Bucket"}

    empty_bucket(stack)
    assert delete_stack(stack) == "DELETE_COMPLETE"


def test_a_name_that_cannot_work_is_refused_with_the_reason_and_nothing_is_left(
    stack: Stack,
) -> None:
    long = Stack(stack.home, "l" * 52)

    with pytest.raises(AssertionError):
        deploy(long)

    reasons = [
        event.get("ResourceStatusReason", "")
        for event in events(stack, long.name)
        if (event["LogicalResourceId"], event["ResourceStatus"]) == ("Project", "CREATE_FAILED")
    ]
    assert "a stack can have 51" in reasons[0]
    (found,) = stack.client("cloudformation").describe_stacks(StackName=long.name)["Stacks"]
    assert found["StackStatus"] == "ROLLBACK_COMPLETE"
    assert still_there(long) == set()
