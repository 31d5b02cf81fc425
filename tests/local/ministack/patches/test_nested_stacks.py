"""Business rule: a nested stack is made, changed and deleted with its parent, or not at all."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.local.stack_help import Client, eventually

BUCKET = "nested-templates"
CHILD = {
    "Parameters": {"Name": {"Type": "String"}},
    "Resources": {
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Ref": "Name"}}},
    },
    "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Queue", "Arn"]}}},
}
FAILS = {"Type": "AWS::Nothing::Nothing"}
"""A resource that cannot be made."""


@pytest.fixture
def cloudformation(client: Client) -> Any:
    return client("cloudformation")


@pytest.fixture
def parent(cloudformation: Any) -> Iterator[str]:
    """The name of a stack that is deleted after the test."""
    yield "parent"
    cloudformation.delete_stack(StackName="parent")
    eventually(lambda: status(cloudformation, "parent") in ("", "DELETE_COMPLETE"))


@pytest.fixture
def template(client: Client, cloudformation: Any) -> Any:
    """Makes the body of a parent whose child has a template, and parameters."""
    s3 = client("s3")
    s3.create_bucket(Bucket=BUCKET)

    def body(child: dict[str, Any], **parameters: str) -> str:
        s3.put_object(Bucket=BUCKET, Key="child.json", Body=json.dumps(child))
        properties = {
            "TemplateURL": f"{s3.meta.endpoint_url}/{BUCKET}/child.json",
            "Parameters": parameters,
        }
        nested = {"Type": "AWS::CloudFormation::Stack", "Properties": properties}
        output = {"Value": {"Fn::GetAtt": ["Child", "Outputs.Arn"]}}
        return json.dumps({"Resources": {"Child": nested}, "Outputs": {"Arn": output}})

    return body


def status(cloudformation: Any, name: str) -> str:
    stacks = cloudformation.list_stacks()["StackSummaries"]
    return next((s["StackStatus"] for s in stacks if s["StackName"] == name), "")


def ends(cloudformation: Any, expected: str) -> None:
    eventually(lambda: status(cloudformation, "parent") == expected)


def reason(cloudformation: Any, expected: str) -> str:
    """Why the child has come to a status."""
    events = cloudformation.describe_stack_events(StackName="parent")["StackEvents"]
    return next(
        str(event["ResourceStatusReason"])
        for event in events
        if (event["LogicalResourceId"], event["ResourceStatus"]) == ("Child", expected)
    )


def queues(client: Client) -> list[str]:
    return [
        url.rpartition("/")[2]
        for url in client("sqs").list_queues(QueueNamePrefix="nested-").get("QueueUrls", ())
    ]


def child_arn(cloudformation: Any) -> str:
    found = cloudformation.describe_stack_resources(StackName="parent")["StackResources"]
    (child,) = [r for r in found if r["LogicalResourceId"] == "Child"]
    return str(child["PhysicalResourceId"])


def test_a_child_is_known_by_its_arn_and_goes_with_its_parent(
    client: Client, cloudformation: Any, parent: str, template: Any
) -> None:
    """Given a stack with a nested one, then its output is read, and both are deleted."""
    cloudformation.create_stack(StackName=parent, TemplateBody=template(CHILD, Name="nested-one"))
    ends(cloudformation, "CREATE_COMPLETE")

    arn = child_arn(cloudformation)
    (described,) = cloudformation.describe_stacks(StackName=arn)["Stacks"]
    (found,) = cloudformation.describe_stacks(StackName=parent)["Stacks"]
    assert described["StackName"].startswith("parent-Child-")
    assert found["Outputs"][0]["OutputValue"].endswith(":nested-one")
    assert queues(client) == ["nested-one"]

    cloudformation.delete_stack(StackName=parent)
    ends(cloudformation, "DELETE_COMPLETE")
    assert queues(client) == []
    assert status(cloudformation, arn.split("/")[1]) == "DELETE_COMPLETE"


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "Name"),
        ({"Name": "nested-one", "Other": "x"}, r"\[Other\] do not exist in the template"),
    ],
)
def test_a_parameter_that_lacks_or_is_not_declared_fails_the_parent(
    cloudformation: Any, parent: str, template: Any, parameters: dict[str, str], message: str
) -> None:
    """Given a child that is handed in too little or too much, then nothing is made."""
    body = template(CHILD, **parameters)
    cloudformation.create_stack(StackName=parent, TemplateBody=body)

    ends(cloudformation, "ROLLBACK_COMPLETE")
    assert re.search(message, reason(cloudformation, "CREATE_FAILED"))


def test_a_child_that_fails_fails_its_parent_and_leaves_nothing(
    client: Client, cloudformation: Any, parent: str, template: Any
) -> None:
    """Given a child whose second resource cannot be made, then its first one is deleted."""
    child = json.loads(json.dumps(CHILD))
    child["Resources"]["Nothing"] = {**FAILS, "DependsOn": "Queue"}
    cloudformation.create_stack(StackName=parent, TemplateBody=template(child, Name="nested-one"))

    ends(cloudformation, "ROLLBACK_COMPLETE")
    assert "not successfully created" in reason(cloudformation, "CREATE_FAILED")
    assert queues(client) == []


def test_an_update_that_fails_in_the_child_is_rolled_back(
    client: Client, cloudformation: Any, parent: str, template: Any
) -> None:
    """Given a child whose update lacks a parameter, then the parent is as it was."""
    cloudformation.create_stack(StackName=parent, TemplateBody=template(CHILD, Name="nested-one"))
    ends(cloudformation, "CREATE_COMPLETE")

    cloudformation.update_stack(StackName=parent, TemplateBody=template(CHILD))

    ends(cloudformation, "UPDATE_ROLLBACK_COMPLETE")
    assert queues(client) == ["nested-one"]


def test_what_an_update_leaves_alone_in_the_child_can_be_referred_to(
    client: Client, cloudformation: Any, parent: str, template: Any
) -> None:
    """Given a child that gets a second queue, then its first one's attributes are still there."""
    cloudformation.create_stack(StackName=parent, TemplateBody=template(CHILD, Name="nested-one"))
    ends(cloudformation, "CREATE_COMPLETE")
    arn = child_arn(cloudformation)
    child = json.loads(json.dumps(CHILD))
    child["Resources"]["Second"] = {
        "Type": "AWS::SQS::Queue",
        "Properties": {"QueueName": "nested-two"},
    }
    body = template(child, Name="nested-one").replace("child.json", "child.json?2")

    cloudformation.update_stack(StackName=parent, TemplateBody=body)

    ends(cloudformation, "UPDATE_COMPLETE")
    assert child_arn(cloudformation) == arn
    assert sorted(queues(client)) == ["nested-one", "nested-two"]


def test_what_cannot_be_deleted_in_the_child_keeps_the_parent(
    client: Client, cloudformation: Any, parent: str, template: Any
) -> None:
    """Given a child's bucket that is not empty, then the deletion fails and can be repeated."""
    child = json.loads(json.dumps(CHILD))
    child["Resources"]["Bucket"] = {
        "Type": "AWS::S3::Bucket",
        "Properties": {"BucketName": "of-a-child"},
    }
    cloudformation.create_stack(StackName=parent, TemplateBody=template(child, Name="nested-one"))
    ends(cloudformation, "CREATE_COMPLETE")
    client("s3").put_object(Bucket="of-a-child", Key="x", Body=b"x")

    cloudformation.delete_stack(StackName=parent)

    ends(cloudformation, "DELETE_FAILED")
    assert "Bucket" in reason(cloudformation, "DELETE_FAILED")
    client("s3").delete_object(Bucket="of-a-child", Key="x")
    cloudformation.delete_stack(StackName=parent)
    ends(cloudformation, "DELETE_COMPLETE")
    assert queues(client) == []
